-- List filters are bitmaps over arrival numbers: 4096 tasks a segment, some bits a task for all filters together.
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
-- A segment's ids go with the last of its arrivals, once no new one can come.
local function drop_segment(no)
  local seg = math.floor(no / 4096)
  if call('EXISTS', key('bits', 'all:' .. seg)) == 0 and tonumber(call('GET', K.arrivals)) >= (seg + 1) * 4096 then
    call('DEL', key('ids', seg))
  end
end
