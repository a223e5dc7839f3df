-- List filters: a bitmap over arrival numbers for each value, 4096 tasks a segment.
-- uses: clock
local function mark(no, index, on)
  local seg = math.floor(no / 4096)
  call('SETBIT', key('bits', index .. ':' .. seg), no - seg * 4096, on)
end
local function unmark(no, index)
  local seg = math.floor(no / 4096)
  local name = key('bits', index .. ':' .. seg)
  call('SETBIT', name, no - seg * 4096, 0)
  if call('BITPOS', name, 1) == -1 then call('DEL', name) end
end
