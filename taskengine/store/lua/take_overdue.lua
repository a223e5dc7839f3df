-- Names slotless executions that the coordinator must end: over their time, silent, or past the grace of their cancel.
-- args: term, most
-- reply overdue: execution_id, token, task_id, deadline_ms, silent, cancelled
-- returns: {'ok', {overdue ...}, ms until the next or -1} | {'stale'}
-- fields: exec.attempt, exec.task, exec.deadline, exec.cancel, exec.status
-- silent, cancelled: 1 where that is why. Each is named again two seconds later unless it was ended; one that was heard, or
-- got more time, then.
if outdated(A.term) then return {'stale'} end
local found = {}
for _, eid in ipairs(call('ZRANGEBYSCORE', K.overdue, '-inf', now, 'LIMIT', 0, A.most)) do
  local v = call('HMGET', key('exec', eid), F.exec.status, F.exec.attempt, F.exec.task, F.exec.deadline, F.exec.cancel)
  local at = v[1] == E.RUNNING and look_at(eid)
  if not at then
    call('ZREM', K.overdue, eid)
  elseif at > now then
    call('ZADD', K.overdue, at, eid)
  else
    call('ZADD', K.overdue, now + 2000, eid)
    found[#found + 1] = R.overdue{execution_id = eid, token = v[2], task_id = v[3], deadline_ms = v[4],
      silent = not v[5] and tonumber(v[4]) > now and 1 or 0, cancelled = v[5] and 1 or 0}
  end
end
local head = call('ZRANGE', K.overdue, 0, 0, 'WITHSCORES')
return {'ok', found, head[2] and math.max(0, math.ceil(head[2] - now)) or -1}
