-- Grants READY tasks of the given queues to free slots, 16 at most.
-- args: term, queues..., envelope
-- returns: {'ok', granted} | {'stale'}
if outdated(A.term) then return {'stale'} end
parks_left = 256
for i = A.queues.first, A.queues.last do
  local queue = A.queues[i]
  grant(queue, call('ZCARD', key('ready', queue)))
  if call('EXISTS', key('ready', queue), key('granted', queue), key('room_waits', queue)) == 0 then
    call('SREM', K.queues, queue)
    call('SREM', K.open_queues, queue)
  elseif call('SISMEMBER', K.queues, queue) == 1 then
    open_queue(queue)  -- also one that an older release, which knew no open queues, made
  end
end
if is_any_short() then note_short({unpack(ARGV, A.queues.first, A.queues.last)}) end
grant_short()
return {'ok', granted_now}
