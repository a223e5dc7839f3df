-- What worker nodes look like, 128 at most a call.
-- args: start
-- reply node: name, until_ms, info, slots, queues, draining, held, untaken
-- returns: {where to go on or '0', now, node ...} maybe one twice
-- fields: node.info, node.slots, node.queues, node.draining, node.size, node.untaken
-- start: '0' at first.
local some = call('ZSCAN', K.nodes, A.start, 'COUNT', 64)
local found = {some[1], now}
for i = 1, #some[2], 2 do
  local node = some[2][i]
  local v = call('HMGET', key('node', node), F.node.info, F.node.slots, F.node.queues, F.node.draining, F.node.size,
    F.node.untaken)
  found[#found + 1] = R.node{name = node, until_ms = some[2][i + 1], info = v[1] or '', slots = v[5] or v[2] or '0',
    queues = v[3] or '', draining = v[4] or '', held = call('HLEN', key('slots', node)), untaken = v[6] or '0'}
end
return found
