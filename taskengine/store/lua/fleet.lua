-- What the fleet looks like: nodes, lanes, counts, leader.
-- args:
-- reply fleet: server_ms, nodes, lanes, counts, leader, numbers, parked, pauses
-- reply node: name, until_ms, info, slots, lanes, draining, held, untaken
-- reply numbers: timers, decisions, dead_letters, poison_decisions, open_batches, running
-- returns: fleet; its nodes are {node ...}, its lanes {{lane, ready, granted, offered} ...}, parked {{reason, parked} ...}
-- fields: node.info, node.slots, node.queues, node.draining, node.size, node.untaken
local nodes, lanes = {}, {}
for _, node in ipairs(call('ZRANGE', K.nodes, 0, 999)) do
  local v = call('HMGET', key('node', node), F.node.info, F.node.slots, F.node.queues, F.node.draining, F.node.size,
    F.node.untaken)
  nodes[#nodes + 1] = R.node{name = node, until_ms = call('ZSCORE', K.nodes, node), info = v[1] or '',
    slots = v[5] or v[2] or '0', lanes = v[3] or '', draining = v[4] or '', held = call('HLEN', key('slots', node)),
    untaken = v[6] or '0'}
end
local function look(lane)
  return {lane, call('ZCARD', key('ready', lane)), call('SCARD', key('granted', lane)), offering(lane)}
end
for _, lane in ipairs(call('SMEMBERS', K.lanes)) do
  lanes[#lanes + 1] = look(lane)
end
local parked = {}
for _, reason in ipairs(call('SMEMBERS', K.parks)) do
  parked[#parked + 1] = {reason, call('ZCARD', key('park', reason))}
end
return R.fleet{server_ms = now, nodes = nodes, lanes = lanes, counts = call('HGETALL', K.counts),
  leader = call('HGETALL', K.leader), parked = parked, pauses = call('HGETALL', K.pauses),
  numbers = R.numbers{timers = call('ZCARD', K.timers), decisions = call('XLEN', K.decisions),
    dead_letters = call('ZCARD', K.dead), poison_decisions = call('LLEN', K.poison),
    open_batches = call('ZCARD', K.batches), running = call('ZCARD', K.leases)}}
