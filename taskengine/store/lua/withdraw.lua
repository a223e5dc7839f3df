-- Deletes grants whose claim deadline passed: they never ran; their tasks are READY at their old place again.
-- args: term, most, envelope
-- returns: {'ok', withdrawn} | {'stale'}
-- fields: exec.task, exec.queued
if outdated(A.term) then return {'stale'} end
local late = call('ZRANGEBYSCORE', K.granted_all, '-inf', now, 'LIMIT', 0, A.most)
local nobodys = {}
local latest = {}
for _, eid in ipairs(late) do
  local e = call('HMGET', key('exec', eid), F.exec.task, F.exec.queued)
  local m = load(e[1] or '')
  if m and m.granted == eid then
    latest[m.queue] = math.max(latest[m.queue] or 0, tonumber(e[2] or 0))
    drop_grant(m)
    enqueue(m)
  else
    call('ZREM', K.granted_all, eid)
    if m then call('SREM', key('granted', m.queue), eid) else nobodys[#nobodys + 1] = eid end
  end
end
-- Whose task is gone says no queue any more: each queue is asked once for all of them.
for _, queue in ipairs(#nobodys > 0 and call('SMEMBERS', K.queues) or {}) do call('SREM', key('granted', queue),
  unpack(nobodys)) end
for _, eid in ipairs(nobodys) do call('DEL', key('exec', eid)) end
for queue, given in pairs(latest) do count_untaken(queue, given) end
grant_made()
return {'ok', #late}
