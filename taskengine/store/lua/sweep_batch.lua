-- Removes a chunk of an abandoned graph, newest first; the last chunk removes the batch.
-- args: batch, term
-- returns: {'ok', 1 while more remain else 0} | {'committed'} | {'stale'}
-- uses: put, span, leader
local batch = ARGV[1]
if outdated(ARGV[2]) then return {'stale'} end
local state = call('HGET', key('batch', batch), 'state')
if state == 'committed' then
  call('ZREM', K.batches, batch)
  return {'committed'}
end
if state == 'open' then call('HSET', key('batch', batch), 'state', 'swept') end
local chunk = call('RPOP', key('pending', batch))
if not chunk then
  call('ZREM', K.batches, batch)
  -- A submitter that is late, not gone, must still hear that its graph was swept.
  if ARGV[2] == '' then call('DEL', key('batch', batch)) else call('EXPIRE', key('batch', batch), 3600) end
  return {'ok', 0}
end
local first, count = span(chunk)
for no = first, first + count - 1 do
  local id = id_at(no)
  if call('HGET', key('task', id), 'batch') == batch then unstage(id) end
end
return {'ok', 1}
