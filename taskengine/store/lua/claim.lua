-- Takes a granted execution if its token still holds, else the best READY task that this slot may run.
-- args: node, slot, request, message, pid, execution, token, lanes, envelope
-- returns: {'ok', told} | {'nothing'} | {'refused', 'silent' | 'draining'}
-- events: started
-- uses: pull, execution, grant, lose, park
local node, slot, req, msg, pid, eid, token = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], tonumber(ARGV[7])
local no = refusal(node)
if no then return {'refused', no} end
local held = call('HGET', key('slots', node), slot)
if held then
  local e = load_execution(held:match('^[^|]+'))
  if e and e.st == E.RUNNING then
    if held:match('[^|]*$') == req then return {'ok', told_again(e)} end
    lose(e.id, 'its slot claimed again')
  else
    call('HDEL', key('slots', node), slot)
  end
end
local lanes, agents = parse_lanes(ARGV[8])
local e = load_execution(eid)
local m = e and e.st == E.QUEUED and e.att == token and load_whole(e.task)
if m and m.st == T.READY and m.granted == eid and agents[m.lane] then
  call('ZREM', K.granted_all, eid)
  call('SREM', key('granted', m.lane), eid)
  call('HDEL', key('task', m.id), 'g')
else
  m = pull(lanes)
  if not m then return {'nothing'} end
  m.att = m.att + 1
  eid = execution_id(m.id, m.att)
end
local reply = start(m, eid, node, slot, msg, pid, req, agents[m.lane])
grant_made()
return {'ok', reply}
