-- Reads what a picture of a run is drawn from: some ranges of its arrivals, until 256 tasks are found, and tasks by name.
-- args: run, start, ranges, tasks...
-- reply sketch: ids, numbers, statuses, ready_ms, started_ms, finished_ms, queues, names, depends_on
-- returns: {range to go on at or -1, how many of the tasks were looked at, sketch} a column of the sketch is a text with
--   a line for each task that is in the run; but of names, in which anything may stand, it is a list
-- fields: run, arrival, status, ready, started, finished, queue, name, path, depends_on, batch
-- It stops once the reply holds about a MiB: behind a range, or behind one of the tasks.
local ids, numbers, statuses, readies, starts, ends, queues, names, before = {}, {}, {}, {}, {}, {}, {}, {}, {}
local n, bytes, on_at, looked = 0, 0, -1, 0
local shown = {}  -- batch -> whether its graph is there: asked once, for a run has few
local function is_shown(batch)
  if shown[batch] == nil then shown[batch] = not is_open(batch) end
  return shown[batch]
end
local function look(id)
  local v = call('HMGET', key('task', id), F.run, F.arrival, F.status, F.ready, F.started, F.finished, F.queue, F.name,
    F.path, F.depends_on, F.batch)
  if v[1] ~= A.run or (v[11] and not is_shown(v[11])) then return end
  n = n + 1
  ids[n], numbers[n], statuses[n] = id, v[2], v[3]
  readies[n], starts[n], ends[n] = v[4] or '', v[5] or '', v[6] or ''
  queues[n], names[n], before[n] = v[7] or '', v[8] or v[9] or '', v[10] or ''
  bytes = bytes + #names[n] + #before[n]
end
local function drawn()
  local function text(column) return table.concat(column, '\n') end
  return {on_at, looked, R.sketch{ids = text(ids), numbers = text(numbers), statuses = text(statuses),
    ready_ms = text(readies), started_ms = text(starts), finished_ms = text(ends), queues = text(queues), names = names,
    depends_on = text(before)}}
end
local chunks = A.ranges ~= '0' and call('LRANGE', key('ranges', A.run), A.start, A.start + A.ranges - 1) or {}
if A.ranges ~= '0' and #chunks == tonumber(A.ranges) then on_at = A.start + A.ranges end
for i, chunk in ipairs(chunks) do
  local first, count = span(chunk)
  local raw = ids_of(first, count)
  for place = 0, #raw / 16 - 1 do look(id_of(raw, place)) end
  if (n > 256 or bytes > 1048576) and i < #chunks then
    on_at = A.start + i
    return drawn()
  end
end
for i = A.tasks.first, A.tasks.last do
  if bytes > 1048576 then return drawn() end
  look(A.tasks[i])
  looked = looked + 1
end
return drawn()
