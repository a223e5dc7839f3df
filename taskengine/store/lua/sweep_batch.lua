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
  call('EXPIRE', key('batch', batch), 3600)
  return {'ok', 0}
end
local first, count = span(chunk)
for no = first, first + count - 1 do
  local id = id_at(no)
  local v = call('HMGET', key('task', id), 'batch', 'on', 'key', 'xr', 'run', 'big', 'ix')
  if v[1] == batch then
    forget_marks(no, v[7])
    forget_edges(id, v[2])
    if v[4] then
      for d in v[2]:gmatch('%S+') do
        local owner = call('HGET', key('task', d), 'run')
        if owner and owner ~= v[5] then call('HINCRBY', key('task', d), 'pin', -1) end
      end
    end
    if v[3] and call('GET', key('idem', v[3])) == id then call('DEL', key('idem', v[3])) end
    call('ZREM', K.timers, 'schedule:' .. id)
    call('DEL', key('task', id), key('deps', id))
    if v[6] then call('DEL', key('payload', v[6])) end
    drop_segment(no)
  end
end
return {'ok', 1}
