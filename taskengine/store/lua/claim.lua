-- Takes a granted execution if its token still holds, else the best READY task that this slot may run.
-- The same request again gets what the slot runs now, or nothing; another request ends what it runs as LOST first.
-- links: lazily
-- args: node, slot, request, message, pid, execution, token, queues, envelope
-- returns: {'ok', {}, {}, {assignment ...}} | {'nothing'} | {'refused', 'silent' | 'draining'}
-- events: started, lost, ready | paused
-- fields: granted, refused
local node, slot, req, msg, pid, eid, token = A.node, A.slot, A.request, A.message, A.pid, A.execution,
  tonumber(A.token)
local e = load_execution(eid)
local granted = e and e.st == E.QUEUED and e.att == token and load_starting(e.task)
if granted and not (granted.st == T.READY and granted.granted == eid) then granted = nil end
-- What a frozen server or a dead link kept back may come long after its copy was answered; the slot has gone on since.
local again = call('GET', key('claim', node .. '/' .. slot)) == req
call('SET', key('claim', node .. '/' .. slot), req, 'EX', 600)
local runs = held_by(node, slot)
if again then return #runs > 0 and {'ok', {}, {}, assignments_of(runs)} or {'nothing'} end
local no, size = refusal(node)
if no then
  -- Its message is used up: whoever is free gets the task now, not at the claim deadline.
  if granted then
    drop_grant(granted)
    enqueue(granted)
    grant_made()
  end
  return {'refused', no}
end
if #runs > 0 then mark_slot_lost(node, slot, 'its slot claimed again') end
local queues, agents = parse_queues(A.queues)
local m = granted
if m and is_any_paused() and (suspended_by(m) or #open_queues({m.queue}, {[m.queue] = agents[m.queue] or ''}) == 0) then
  drop_grant(m)
  enqueue(m)
  m = nil
end
if m and agents[m.queue] and is_any_limited() then
  load_limits_of({agents[m.queue]})
  if not may_start(agents[m.queue]) then
    drop_grant(m)
    enqueue(m)
    m = nil
  end
end
if m and agents[m.queue] and (m.extra or is_any_limited()) and not fits_here(m, agents[m.queue]) then
  drop_grant(m)
  wait_for_room(m)
  -- Another host may have room; its slots are woken like this one was.
  if call('HINCRBY', key('task', m.id), F.refused, 1) <= 16 then note_short({m.queue}) end
  m = nil
end
if m and agents[m.queue] then
  call('ZREM', K.granted_all, eid)
  call('SREM', key('granted', m.queue), eid)
  call('HDEL', key('task', m.id), F.granted)
else
  m = pull(queues, agents)
  if not m then
    grant_made()
    return {'nothing'}
  end
  m.att = m.att + 1
  eid = execution_id(m.id, m.att)
end
local reply = start(m, eid, node, slot, agents[m.queue])
occupy(node, slot, eid, msg, pid)
if call('HLEN', key('slots', node)) >= size then call('SREM', K.free_nodes, node) end
grant_made()
return {'ok', {}, {}, {reply}}
