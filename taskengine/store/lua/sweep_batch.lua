-- Removes a chunk of an abandoned graph, newest first; the last chunk removes the batch.
-- args: batch, term
-- returns: {'ok', 1 while more remain else 0} | {'committed'} | {'stale'}
-- fields: batch, depends_on, run, batch.state
local batch = A.batch
if outdated(A.term) then return {'stale'} end
local state = call('HGET', key('batch', batch), F.batch.state)
if state == 'committed' then
  call('ZREM', K.batches, batch)
  return {'committed'}
end
if state == 'open' then call('HSET', key('batch', batch), F.batch.state, 'swept') end
-- Takes the last 256 off the parents of a task that has more; such a task is a chunk of its own.
local function shorten(id)
  local v = call('HMGET', key('task', id), F.batch, F.depends_on, F.run)
  local keep = v[1] == batch and v[2] and (#v[2] + 1) / 37 - 256 or 0
  if keep <= 0 then return false end
  local last = v[2]:sub(keep * 37 + 1)
  forget_edges(id, last)
  for d in last:gmatch('%S+') do unpin(d, v[3]) end
  call('HSET', key('task', id), F.depends_on, v[2]:sub(1, keep * 37 - 1))
  return true
end
local chunk = call('LINDEX', key('pending', batch), -1)
if chunk then
  local first, count = span(chunk)
  if count == 1 and shorten(id_at(first)) then return {'ok', 1} end
  call('RPOP', key('pending', batch))
else
  call('ZREM', K.batches, batch)
  -- A submitter that is late, not gone, must still hear that its graph was swept.
  if A.term == '' then call('DEL', key('batch', batch)) else call('EXPIRE', key('batch', batch), 3600) end
  return {'ok', 0}
end
local first, count = span(chunk)
for no = first, first + count - 1 do
  local id = id_at(no)
  if call('HGET', key('task', id), F.batch) == batch then unstage(id) end
end
return {'ok', 1}
