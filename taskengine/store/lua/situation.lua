-- What stands around a task that its record does not tell: its place among others, who could run it, who thinks.
-- args: task
-- reply situation: server_ms, fields, position, ready, granted, servers, lanes, leader, pause
-- reply server: node, slots, held, draining, untaken, info
-- returns: situation, its servers are {server ...} | {}
-- fields: status, arrival, queue, parked, granted, waiting, failed, skipped, due, held, batch, cancel, rule, run
-- fields: score, aged, node.slots, node.draining, node.queues, node.size, node.untaken, node.info, leader.id
-- fields: leader.leads_until
-- position: how many stand before it in its lane, -1 when it does not stand there. Of nodes, those that live and offer
-- its lane, 1000 at most; of lanes, 100 that live nodes offer. pause: {scope, story} of one that it feels, or {}.
local id = A.task
local FIELDS = {F.status, F.arrival, F.queue, F.parked, F.granted, F.waiting, F.failed, F.skipped, F.due, F.held,
  F.batch, F.cancel, F.rule, F.run, F.score, F.aged}
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
local offering, lanes, known = {}, {}, {}
local scope, story
if is_any_paused() then scope, story = pause_of({id = id, run = t[F.run], lane = t[F.queue]}) end
for _, node in ipairs(call('ZRANGEBYSCORE', K.nodes, '(' .. now, '+inf', 'LIMIT', 0, 1000)) do
  local n = call('HMGET', key('node', node), F.node.slots, F.node.draining, F.node.queues, F.node.size,
    F.node.untaken, F.node.info)
  for lane, agent in (n[3] or ''):gmatch('(%S+)=(%S+)') do
    if lane == t[F.queue] then
      if is_any_paused() and not scope then scope, story = first_paused({'agent:' .. agent}) end
      offering[#offering + 1] = R.server{node = node, slots = n[4] or n[1] or '0', held = call('HLEN', key('slots',
        node)), draining = n[2] or '', untaken = n[5] or '0', info = n[6] or ''}
    end
    if not known[lane] and #lanes < 100 then
      known[lane] = true
      lanes[#lanes + 1] = lane
    end
  end
end
local leader = call('HMGET', K.leader, F.leader.id, F.leader.leads_until)
local leads = leader[2] and tonumber(leader[2]) > now
return R.situation{server_ms = now, fields = fields,
  position = call('ZRANK', key('ready', t[F.queue]), string.format('%012d', t[F.arrival]) .. id) or -1,
  ready = call('ZCARD', key('ready', t[F.queue])), granted = call('SCARD', key('granted', t[F.queue])),
    servers = offering,
  lanes = lanes, leader = leads and leader[1] or '', pause = scope and {scope, story} or {}}
