-- Takes a stopped node out of the fleet; executions that it still holds end as LOST.
-- args: node, envelope
-- returns: {'ok', lost}
-- events: lost, ready | paused
-- fields: node.queues, node.alive_until, node.size, node.host
local node, lost = A.node, 0
local slots = call('HKEYS', key('slots', node))
for i = 1, math.min(#slots, 32) do lost = lost + #mark_slot_lost(node, slots[i], 'its node stopped', true) end
local v = call('HMGET', key('node', node), F.node.queues, F.node.size, F.node.host)
for queue in (v[1] or ''):gmatch('(%S+)=') do
  stop_offer(node, queue, tonumber(v[2] or 0), now)
  note_queue(queue)
end
call('SREM', K.free_nodes, node)
if v[3] then quit_host(node, v[3]) end
if #slots <= 32 then
  call('ZREM', K.nodes, node)
  call('DEL', key('slots', node))
  call('HDEL', key('node', node), F.node.alive_until)
end
grant_made()
return {'ok', lost}
