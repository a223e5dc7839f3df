-- What stands around a task that its record does not tell: its place among others, who could run it, who thinks.
-- args: task
-- reply queue_view: server_ms, fields, position, ready, granted, leader, pause, poller, closed
-- returns: queue_view | {}
-- fields: status, arrival, queue, parked, granted, waiting, failed, skipped, due, held, batch, cancel, rule, run
-- fields: score, aged, attempts, node.queues, exec.node, exec.agent, leader.id, leader.leads_until
-- fields: limit.why
-- position: how many stand before it in its queue, -1 when it does not stand there. pause: {scope, record} of one that
-- it feels, or {}; of agents that would run it, those of 16 nodes are asked. poller: 'node until ms' of who asks the
-- service of a slotless one, or did last. closed: {agent, limit, which bound of it, ms when that changes by itself or '',
-- why} ... of agents that would run a READY one, where the limits of all of these let nothing start.
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
local is_asked, agents = {}, {}
for i, node in ipairs((is_any_paused() or is_any_limited()) and not scope and offering_nodes(t[F.queue]) or {}) do
  local queues = ' ' .. (call('HGET', key('node', node), F.node.queues) or '')
  local agent = agent_for({queues = queues}, t[F.queue])
  if agent ~= '' and not is_asked[agent] then
    is_asked[agent] = true
    agents[#agents + 1] = agent
    if is_any_paused() then scope, record = first_paused({'agent:' .. agent}) end
  end
  if scope or i == 16 then break end
end
local closed = {}
for i, agent in ipairs(v[1] == T.READY and is_any_limited() and agents or {}) do
  local room, opens, what, name = room_for(agent)
  if room > 0 or i > 8 then
    closed = {}
    break
  end
  closed[i] = {agent, name, what, opens or '', load_limit(name)[F.limit.why] or ''}
end
local e = v[1] == T.RUNNING and call('HMGET', key('exec', execution_id(id, t[F.attempts] or 0)), F.exec.node, F.exec.agent)
local poller = e and e[1] == '~' and call('HGET', K.pollers, e[2])
local leader = call('HMGET', K.leader, F.leader.id, F.leader.leads_until)
local leads = leader[2] and tonumber(leader[2]) > now
return R.queue_view{server_ms = now, fields = fields,
  position = call('ZRANK', key('ready', t[F.queue]), string.format('%012d', t[F.arrival]) .. id) or -1,
  ready = call('ZCARD', key('ready', t[F.queue])), granted = call('SCARD', key('granted', t[F.queue])),
  leader = leads and leader[1] or '', pause = scope and {scope, record} or {}, poller = poller or '',
  closed = closed}
