-- One heartbeat of a worker node: publishes it, renews what its live slots hold, ends what lost its slot.
-- links: lazily
-- args: node, number, info, slots, queues, drain, took, host, live..., envelope
-- reply held: execution_id, message, pid, deadline_ms, cancel_ms, token, task_id, silent_ms, watched_ms, slot
-- reply lost: execution_id, task_id, pid, became, why
-- returns: {'ok', server ms, {held ...}, {lost ...}, revision of what is stored of agents}
-- events: lost, ready | paused
-- fields: exec.watched, exec.deadline, exec.cancel, exec.attempt, exec.task, exec.silent_until, node.queues, node.slots, node.beat
-- fields: node.host, node.untaken, node.info, node.size, node.alive_until, node.draining
-- number: of this beat, counting up. A copy, or one that newer ones overtook, only reads: its list of slots is old.
-- info: JSON for people. took: not '' when a slot claimed since the last beat.
-- live: 'message|pid' of every message in hand. A slot absent in two beats in a row is lost.
-- host: 'NAME total,...' of its machine in thousandths, or ''.
-- 'message|pid|ms ago|how' of one whose process was seen to die: lost at once, with that reason, since then.
local node, queues_text = A.node, A.queues
local held, vanished, lost, leases = {}, {}, {}, {}
local agents_revision = tonumber(call('GET', K.agent_revision) or 0)
local function tell(slot, ids, msg, pid)
  for eid in ids:gmatch('%S+') do
    local e = call('HMGET', key('exec', eid), F.exec.deadline, F.exec.cancel, F.exec.attempt, F.exec.task,
      F.exec.silent_until, F.exec.watched)
    held[#held + 1] = R.held{execution_id = eid, message = msg, pid = pid, deadline_ms = e[1] or '',
      cancel_ms = e[2] or '', token = e[3] or '', task_id = e[4] or '', silent_ms = e[5] or '', watched_ms = e[6] or '',
      slot = slot}
  end
end
local old = call('HMGET', key('node', node), F.node.queues, F.node.slots, F.node.beat, F.node.untaken,
  F.node.size, F.node.host)
local slots = call('HGETALL', key('slots', node))
if tonumber(A.number) <= tonumber(old[3] or 0) then
  for i = 2, #slots, 2 do tell(slots[i - 1], slots[i]:match('^([^|]*)|([^|]*)|([^|]*)|')) end
  return {'ok', now, held, lost, agents_revision}
end
local alive = call('ZSCORE', K.nodes, node)
local first = not alive or tonumber(alive) < now
if first or A.took ~= '' or (old[1] ~= queues_text and offers_more(node, queues_text)) then
  old[4] = trust(node, old[4], queues_text)
end
local distrusted = is_untrusted(old[4])
local countable = distrusted and '0' or A.slots
call('HSET', key('node', node), F.node.beat, A.number, F.node.info, A.info, F.node.slots, countable, F.node.size,
  A.slots, F.node.queues, queues_text, F.node.alive_until, now + C.lease_ms)
call('PEXPIRE', key('node', node), 3600000)
if A.drain == '' then
  call('HDEL', key('node', node), F.node.draining)
else
  call('HSET', key('node', node), F.node.draining, A.drain)
end
call('ZADD', K.nodes, now + C.lease_ms, node)
if A.host ~= (old[6] or '') or first and A.host ~= '' then join_host(node, old[6] or '', A.host) end
local queues, agents = parse_queues(queues_text)
if first or old[1] ~= queues_text or old[5] ~= A.slots then
  for queue in (old[1] or ''):gmatch('(%S+)=') do stop_offer(node, queue, tonumber(old[5] or 0), now) end
  for _, queue in ipairs(queues) do
    start_offer(node, queue, tonumber(A.slots))
    if queue:sub(1, 1) == '@' then bring_back('offer:' .. queue:sub(2)) end
  end
end
if first or old[1] ~= queues_text or old[2] ~= countable then
  for _, queue in ipairs(queues) do
    wake(queue)
    note_queue(queue)
  end
end
local live = {}
local died = {}
for i = A.live.first, A.live.last do
  local slot, ago, how = A.live[i]:match('^([^|]*|%d+)|(%d+)|(.*)$')
  if slot then died[slot] = {how, now - ago} else live[A.live[i]] = true end
end
local reasons = {}
for i = 1, #slots, 2 do
  local ids, msg, pid, missed, mark = slots[i + 1]:match('^([^|]*)|([^|]*)|([^|]*)|(%d)(.*)$')
  if live[msg .. '|' .. pid] then
    leases[#leases + 1] = now + C.lease_ms
    leases[#leases + 1] = node .. '/' .. slots[i]
    if missed ~= '0' then call('HSET', key('slots', node), slots[i], ids .. '|' .. msg .. '|' .. pid .. '|0' .. mark) end
  elseif missed == '0' and not died[msg .. '|' .. pid] then
    leases[#leases + 1] = now + C.lease_ms
    leases[#leases + 1] = node .. '/' .. slots[i]
    call('HSET', key('slots', node), slots[i], ids .. '|' .. msg .. '|' .. pid .. '|1' .. mark)
  else
    if #vanished < 16 then
      vanished[#vanished + 1] = {slots[i], pid}
      reasons[#vanished] = died[msg .. '|' .. pid] or {'its slot vanished'}
    end
    ids = nil
  end
  if #leases >= 200 then
    call('ZADD', K.leases, unpack(leases))
    leases = {}
  end
  if ids then tell(slots[i], ids, msg, pid) end
end
if #leases > 0 then call('ZADD', K.leases, unpack(leases)) end
for n, one in ipairs(vanished) do
  for _, e in ipairs(mark_slot_lost(node, one[1], reasons[n][1], false, reasons[n][2])) do
    lost[#lost + 1] = R.lost{execution_id = e.id, task_id = e.task, pid = one[2], became = e.became, why = e.why}
  end
end
if A.drain == '' and tonumber(countable) > #slots / 2 - #vanished then
  call('SADD', K.free_nodes, node)
  -- What waits longer than a beat although this node could run it, whatever the hints said.
  local work = busy(queues, agents)
  for _, queue in ipairs(work) do note_queue(queue) end
  if #work > 0 then look(node) end
  if stops.short then note_short(queues) end
else
  call('SREM', K.free_nodes, node)
end
if distrusted and A.drain == '' then probe(node, queues) end
grant_made()
return {'ok', now, held, lost, agents_revision}
