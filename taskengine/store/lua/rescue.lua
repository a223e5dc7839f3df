-- Ends executions whose lease lapsed as LOST, and forgets nodes that stopped beating.
-- args: term, most, envelope
-- returns: {'ok', lost, nodes gone, {task, node …} of the lost ones, {node …} forgotten} | {'stale'}
-- events: lost, ready | paused | failed | cancelled
-- uses: grant, leader, lose, execution
if outdated(ARGV[1]) then return {'stale'} end
local lost, forgotten = {}, {}
local lapsed = call('ZRANGEBYSCORE', K.leases, '-inf', now, 'LIMIT', 0, ARGV[2])
for _, lease in ipairs(lapsed) do
  local node, slot = lease:match('^(.*)/(.*)$')
  local e = held_by(node, slot)
  if e then
    lose(e.id, 'its lease lapsed', true)
    lost[#lost + 1], lost[#lost + 2] = e.task, node
  else
    free_slot(node, slot)
  end
end
local gone = call('ZRANGEBYSCORE', K.nodes, '-inf', now - C.lease_ms, 'LIMIT', 0, 16)
for _, node in ipairs(gone) do
  for lane in (call('HGET', key('node', node), 'lanes') or ''):gmatch('(%S+)=') do
    call('SREM', key('offers', lane), node)
    note_lane(lane)
  end
  if call('HLEN', key('slots', node)) == 0 then
    call('ZREM', K.nodes, node)
    forgotten[#forgotten + 1] = node
  end
end
grant_made()
return {'ok', #lapsed, #gone, lost, forgotten}
