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
-- What a segment of arrivals leaves goes with the last of them: bitmaps of statuses that all have passed through,
-- and the ids, once no new arrival can come.
local function drop_segment(no)
  local seg = math.floor(no / 4096)
  if call('EXISTS', key('bits', 'all:' .. seg)) == 1 then return end
  for _, status in ipairs({T.PENDING, T.READY, T.RUNNING, T.RETRYING, T.PAUSED, T.COMPLETED, T.FAILED, T.CANCELLED}) do
    call('DEL', key('bits', 's:' .. status .. ':' .. seg))
  end
  if tonumber(call('GET', K.arrivals)) >= (seg + 1) * 4096 then call('DEL', key('ids', seg)) end
end
