-- Stages a chunk of a graph, dependencies before dependents: stored, indexed, and waiting for the commit.
-- args: batch, run, raw, count, task ...
-- returns: {'ok', id or its older twin, ...} | {'conflict', field, id} | {'missing', task, dependency} | {'taken'}
-- uses: put
-- The batch remembers where it put each chunk: a copy of the call finds its tasks there and answers the same.
local batch, run, count = ARGV[1], ARGV[2], tonumber(ARGV[4])
local state = call('HGET', key('batch', batch), 'state')
if state and state ~= 'open' then return {'taken', state} end
if not state then
  call('HSET', key('batch', batch), 'state', 'open', 'run', run, 'n', 0, 'cursor', 0)
  call('ZADD', K.batches, now, batch)
end
-- Whoever adds to a finished run wants its results: they stay for another retention.
call('ZADD', K.finished, 'XX', now, run)
local chunk = redis.sha1hex(ARGV[3])
local before = call('HGET', key('batch', batch), chunk)
local first = tonumber(before or call('INCRBY', K.arrivals, count) - count + 1)
if not before then
  call('HSET', key('batch', batch), chunk, first)
  call('RPUSH', key('pending', batch), first .. ':' .. count)
end
place_ids(first, count, ARGV[3])
local ids, alias, new = {'ok'}, {}, 0
local function answer(reply)
  if new > 0 then call('HINCRBY', key('batch', batch), 'n', new) end
  if new == 0 and not before then clear_code(first) end
  return reply
end
for i = 0, count - 1 do
  local t = read_task(5 + i * STRIDE)
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
