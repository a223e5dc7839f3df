-- What stands around a task that its record does not tell: its place among others, who could run it, who thinks.
-- args: task
-- reply queue_view: server_ms, fields, position, ready, granted, leader, pause, poller
-- returns: queue_view | {}
-- fields: status, arrival, queue, parked, granted, waiting, failed, skipped, due, held, batch, cancel, rule, run
-- fields: score, aged, attempts, node.queues, exec.node, exec.agent, leader.id, leader.leads_until
-- position: how many stand before it in its queue, -1 when it does not stand there. pause: {scope, record} of one that
-- it feels, or {}; of agents that would run it, those of 16 nodes are asked. poller: 'node until ms' of who asks the
-- service of a slotless one, or did last.
local id = A.task
local FIELDS = {F.status, F.arrival, F.queue, F.parked, F.granted, F.waiting, F.failed, F.skipped, F.due, F.held,
  F.batch, F.cancel, F.rule, F.run, F.score, F.aged, F.attempts}
local v = call('HMGET', key('task', id), unpack(FIELDS))
if not v[1] or is_open(v[11]) then return {} end
local t, fields = {}, {}
for i, name in ipairs(FIELDS) do
  t[name] = v[i]
  if v[i] then
    fields[#fields + 1] = name
    fields[#fields + 1] = v[i]
  end
end
if t[F.granted] then
  fields[#fields + 1] = 'claim by'
  fields[#fields + 1] = call('ZSCORE', K.granted_all, t[F.granted]) or ''
end
local scope, record = blocked_by({id = id, run = t[F.run], queue = t[F.queue]})
if is_any_paused() then
  for i, node in ipairs(scope and {} or offering_nodes(t[F.queue])) do
    local queues = ' ' .. (call('HGET', key('node', node), F.node.queues) or '')
    local _, at = queues:find(' ' .. t[F.queue] .. '=', 1, true)
    if at then scope, record = first_paused({'agent:' .. queues:match('^%S*', at + 1)}) end
    if scope or i == 16 then break end
  end
end
local e = v[1] == T.RUNNING and call('HMGET', key('exec', execution_id(id, t[F.attempts])), F.exec.node, F.exec.agent)
local poller = e and e[1] == '~' and call('HGET', K.pollers, e[2])
local leader = call('HMGET', K.leader, F.leader.id, F.leader.leads_until)
local leads = leader[2] and tonumber(leader[2]) > now
return R.queue_view{server_ms = now, fields = fields,
  position = call('ZRANK', key('ready', t[F.queue]), string.format('%012d', t[F.arrival]) .. id) or -1,
  ready = call('ZCARD', key('ready', t[F.queue])), granted = call('SCARD', key('granted', t[F.queue])),
  leader = leads and leader[1] or '', pause = scope and {scope, record} or {}, poller = poller or ''}
