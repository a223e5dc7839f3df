-- Reads what a picture of a run is drawn from: some ranges of its arrivals, until 256 tasks are found, and tasks by name.
-- args: run, start, ranges, tasks...
-- reply sketch: id, number, status, ready_ms, started_ms, finished_ms, queue, name, depends_on
-- returns: {range to go on at or -1, sketch, or '' when there is no such task in the run ...} maybe fewer than asked
-- fields: run, arrival, status, ready, started, finished, queue, name, path, depends_on, batch
-- It stops once the reply holds about a MiB: behind a range, or behind one of the tasks.
local found, bytes = {-1}, 0
local function look(id)
  local v = call('HMGET', key('task', id), F.run, F.arrival, F.status, F.ready, F.started, F.finished, F.queue, F.name,
    F.path, F.depends_on, F.batch)
  if v[1] ~= A.run or is_open(v[11]) then return '' end
  local row = R.sketch{id = id, number = v[2], status = v[3], ready_ms = v[4] or '', started_ms = v[5] or '',
    finished_ms = v[6] or '', queue = v[7] or '', name = v[8] or v[9] or '', depends_on = v[10] or ''}
  bytes = bytes + #row[8] + #row[9]
  return row
end
local chunks = A.ranges ~= '0' and call('LRANGE', key('ranges', A.run), A.start, A.start + A.ranges - 1) or {}
if A.ranges ~= '0' and #chunks == tonumber(A.ranges) then found[1] = A.start + A.ranges end
for i, chunk in ipairs(chunks) do
  local first, count = span(chunk)
  for no = first, first + count - 1 do
    local id = id_at(no)
    if id ~= '' then found[#found + 1] = look(id) end
  end
  if (#found > 256 or bytes > 1048576) and i < #chunks then
    found[1] = A.start + i
    return found
  end
end
for i = A.tasks.first, A.tasks.last do
  if bytes > 1048576 then return found end
  found[#found + 1] = look(A.tasks[i])
end
return found
