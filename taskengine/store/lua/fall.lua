-- Drops the commit waits of a committed graph's next chunk; the coordinator goes on if the submitter died.
-- args: batch, envelope
-- returns: {'ok', 1 while more remain else 0}
-- events: created, ready
-- uses: ready, grant, span
local batch = ARGV[1]
local b = call('HMGET', key('batch', batch), 'state', 'run', 'cursor')
if b[1] ~= 'committed' then
  call('SREM', K.commits, batch)
  return {'ok', 0}
end
local cursor = tonumber(b[3])
local chunk = call('LINDEX', key('pending', batch), cursor)
if chunk then
  local first, count = span(chunk)
  for no = first, first + count - 1 do
    local m = load(id_at(no))
    if m and m.batch == batch then
      emit(m.run, 'created', m.id)
      set_code(no, T.PENDING)
      call('HDEL', key('task', m.id), 'batch', 'ix')
      m.batch = false
      m.w = call('HINCRBY', key('task', m.id), 'w', -1)
      try_ready(m, '')
    end
  end
  call('RPUSH', key('ranges', b[2]), chunk)
  cursor = cursor + 1
  call('HSET', key('batch', batch), 'cursor', cursor)
end
if cursor >= call('LLEN', key('pending', batch)) then
  call('SREM', K.commits, batch)
  call('DEL', key('pending', batch))
  call('EXPIRE', key('batch', batch), 3600)
  grant_made()
  return {'ok', 0}
end
grant_made()
return {'ok', 1}
