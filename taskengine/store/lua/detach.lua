-- Frees the slot of an execution whose work goes on at a service, and gives it its next one in the same trip.
-- args: node, slot, queues, message, pid, execution, token, reference, poll_ms, taken_up, envelope
-- returns: {'ok', {}, {}, {assignment ...}} | {'fenced', status} | {'missing'}
-- events: detached | took_up, started
-- fields: exec.node, exec.slot, exec.agent
-- queues is empty when the slot does not go on. reference: JSON. poll_ms: until somebody asks the service. taken_up: not
-- '' when the work is what an earlier attempt began.
local node, slot = A.node, A.slot
local e = load_execution(A.execution)
if not e then return {'missing'} end
if e.att == tonumber(A.token) and e.node == '~' then return {'ok', {}, {}, assignments_of(held_by(node, slot))} end
if e.st ~= E.RUNNING or e.att ~= tonumber(A.token) or e.node ~= node or e.slot ~= slot then return {'fenced', e.st} end
local m = load(e.task)
local agent = call('HGET', key('exec', e.id), F.exec.agent)
leave_slot(e)
leave_host(e)
call('HSET', key('exec', e.id), F.exec.node, '~', F.exec.slot, e.id)
keep_reference(e, A.reference)
call('HSET', key('slots', '~'), e.id, e.id .. '|||0')
poll_in(e.id, agent, m.cq and 0 or A.poll_ms)
if A.taken_up == '' then
  emit(m.run, 'detached', m.id, m.att .. ' ' .. node)
else
  emit(m.run, 'took_up', m.id, m.att .. ' ' .. node)
end
local queues, agents = parse_queues(A.queues)
local is_free = call('HEXISTS', key('slots', node), slot) == 0
local following = is_free and #queues > 0 and not refusal(node) and pull(queues, agents)
if not following then
  note_queues_of(node)
  grant_made()
  return {'ok', {}, {}, {}}
end
following.att = following.att + 1
local eid = execution_id(following.id, following.att)
local reply = start(following, eid, node, slot, agents[following.queue])
occupy(node, slot, eid, A.message, A.pid)
grant_made()
return {'ok', {}, {}, {reply}}
