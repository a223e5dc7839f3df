-- What the fleet looks like: nodes, lanes, counts, leader.
-- args:
-- returns: {now, {{node, alive until, info, slots, lanes, drain, held, untaken} ...}, {{lane, ready, granted, offered} ...}, {counts ...}, {leader ...}, {open timers, decisions, dead, poison, batches, leases}, {{reason, parked} ...}, {scope, pause ...}}
-- uses: clock, offer
local nodes, lanes = {}, {}
for _, node in ipairs(call('ZRANGE', K.nodes, 0, 999)) do
  local v = call('HMGET', key('node', node), 'info', 'slots', 'lanes', 'drain', 'size', 'un')
  nodes[#nodes + 1] = {node, call('ZSCORE', K.nodes, node), v[1] or '', v[5] or v[2] or '0', v[3] or '', v[4] or '',
    call('HLEN', key('slots', node)), v[6] or '0'}
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
return {now, nodes, lanes, call('HGETALL', K.counts), call('HGETALL', K.leader),
  {call('ZCARD', K.timers), call('XLEN', K.decisions), call('ZCARD', K.dead), call('LLEN', K.poison),
    call('ZCARD', K.batches), call('ZCARD', K.leases)}, parked, call('HGETALL', K.pauses)}
