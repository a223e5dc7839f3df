-- Makes a node the only poller of an agent, and tells it which slotless executions are due. They are due again a lease later:
-- if this poller dies, to the next one.
-- args: agent, node, lease_ms, most
-- reply tracked: execution_id, token, task_id, reference, deadline_ms, cancel, age_ms
-- returns: {'ok', {tracked ...}, {execution, reference ... of orphans}, ms until the next is due or -1} | {'other', node, ms}
-- fields: cancel, exec.attempt, exec.task, exec.reference, exec.deadline, exec.started
-- lease_ms: 0 gives it up, and tells nothing; of an agent that was forgotten meanwhile nothing is left.
local agent, node = A.agent, A.node
local owner, ends = (call('HGET', K.pollers, agent) or ''):match('^(.*) (%d+)$')
if owner and owner ~= node and tonumber(ends) > now then return {'other', owner, ends - now} end
if A.lease_ms == '0' then
  if owner == node then call('HSET', K.pollers, agent, node .. ' ' .. math.min(ends, now)) end
  if call('EXISTS', key('agent', agent), key('remote', agent)) == 0 then call('HDEL', K.pollers, agent) end
  return {'ok', {}, {}, -1}
end
call('HSET', K.pollers, agent, node .. ' ' .. now + A.lease_ms)
local found = {}
for _, eid in ipairs(call('ZRANGEBYSCORE', key('remote', agent), '-inf', now, 'LIMIT', 0, A.most)) do
  local v = call('HMGET', key('exec', eid), F.exec.attempt, F.exec.task, F.exec.reference, F.exec.deadline,
    F.exec.started)
  local cancel = v[2] and call('HGET', key('task', v[2]), F.cancel)
  call('ZADD', key('remote', agent), now + A.lease_ms, eid)
  found[#found + 1] = R.tracked{execution_id = eid, token = v[1], task_id = v[2], reference = v[3], deadline_ms = v[4],
    cancel = cancel or '', age_ms = now - v[5]}
end
local orphans = {}
for i, word in ipairs(call('HRANDFIELD', key('orphans', agent), 16, 'WITHVALUES') or {}) do orphans[i] = word end
local head = call('ZRANGE', key('remote', agent), 0, 0, 'WITHSCORES')
return {'ok', found, orphans, head[2] and math.max(0, math.ceil(head[2] - now)) or -1}
