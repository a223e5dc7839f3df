-- Stages a chunk of a graph, dependencies before dependents: stored, indexed, and waiting for the commit.
-- args: batch, run, raw, count, tasks{staged}...
-- returns: {'ok', id or its older twin, ...} | {'conflict', field, id} | {'missing', task, dependency} | {'taken'}
-- fields: batch.state, batch.run, batch.tasks, batch.cursor
-- The batch remembers where it put each chunk: a copy of the call finds its tasks there and answers the same.
local batch, run, count = A.batch, A.run, tonumber(A.count)
local state = call('HGET', key('batch', batch), F.batch.state)
if state and state ~= 'open' then return {'taken', state} end
if not state then
  call('HSET', key('batch', batch), F.batch.state, 'open', F.batch.run, run, F.batch.tasks, 0, F.batch.cursor, 0)
  call('ZADD', K.batches, now, batch)
end
-- Whoever adds to a finished run wants its results: they stay for another retention.
call('ZADD', K.finished, 'XX', now, run)
local chunk = redis.sha1hex(A.raw)
local before = call('HGET', key('batch', batch), chunk)
local first = tonumber(before or call('INCRBY', K.arrivals, count) - count + 1)
if not before then
  call('HSET', key('batch', batch), chunk, first)
  call('RPUSH', key('pending', batch), first .. ':' .. count)
end
place_ids(first, count, A.raw)
local ids, alias, new = {'ok'}, {}, 0
local function answer(reply)
  if new > 0 then call('HINCRBY', key('batch', batch), F.batch.tasks, new) end
  if new == 0 and not before then clear_code(first) end
  return reply
end
for i = 0, count - 1 do
  local t = read_task(A.tasks.first + i * A.tasks.width)
  local twin, rival = known(t, batch, first + i)
  if twin and twin[1] == 'conflict' then return answer(twin) end
  if twin then
    if twin[2] ~= t.id then alias[t.id] = twin[2] end
    ids[#ids + 1] = twin[2]
  else
    if next(alias) then t.on = t.on:gsub('%S+', alias) end
    local parents, missing = parents_of(t, batch)
    if missing then return answer({'missing', t.id, missing}) end
    take_over(rival, t)
    put(t, first + i, run, batch, parents)
    new = new + 1
    ids[#ids + 1] = t.id
  end
end
return answer(ids)
