-- Ends executions whose lease lapsed as LOST, and forgets nodes that stopped beating.
-- args: term, most, envelope
-- returns: {'ok', lost, nodes gone, {task, node …} of the lost ones, {node …} forgotten} | {'stale'}
-- events: lost, ready | paused | failed | cancelled
-- fields: node.alive_until, node.queues, node.size, node.host
if outdated(A.term) then return {'stale'} end
local lost, forgotten = {}, {}
local silences = {}
-- Its last beat is a lease before the end of its time. A node that beats again lost this slot in its silence.
local function silence_of(node)
  if not silences[node] then
    local ends = tonumber(call('HGET', key('node', node), F.node.alive_until))
    local since = ends and ends - C.lease_ms
    silences[node] = since and ends <= now and string.format(
      'its worker fell silent at %02d:%02d:%02d UTC, %.1f s before it was given up',
      math.floor(since / 3600000) % 24, math.floor(since / 60000) % 60, math.floor(since / 1000) % 60,
        (now - since) / 1000)
      or 'its worker did not renew its lease in time'
  end
  return silences[node]
end
local lapsed = call('ZRANGEBYSCORE', K.leases, '-inf', now, 'LIMIT', 0, A.most)
for _, lease in ipairs(lapsed) do
  local node, slot = lease:match('^(.*)/(.*)$')
  for _, e in ipairs(mark_slot_lost(node, slot, silence_of(node), true)) do
    lost[#lost + 1], lost[#lost + 2] = e.task, node
  end
end
local gone = call('ZRANGEBYSCORE', K.nodes, '-inf', now - C.lease_ms, 'LIMIT', 0, 16)
for _, node in ipairs(gone) do
  call('SREM', K.free_nodes, node)
  local v = call('HMGET', key('node', node), F.node.queues, F.node.size, F.node.alive_until, F.node.host)
  for queue in (v[1] or ''):gmatch('(%S+)=') do
    stop_offer(node, queue, tonumber(v[2] or 0), tonumber(v[3] or 0) - C.lease_ms)
    note_queue(queue)
  end
  if v[4] then quit_host(node, v[4]) end
  if call('HLEN', key('slots', node)) == 0 then
    call('ZREM', K.nodes, node)
    forgotten[#forgotten + 1] = node
  end
end
grant_made()
return {'ok', #lapsed, #gone, lost, forgotten}
