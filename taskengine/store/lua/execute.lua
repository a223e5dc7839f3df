-- Starts a task as soon as it may: releases its hold and its time, pins it to an agent when one is named.
-- args: task, agent, envelope
-- returns: {'ok', status} | {'conflict', status, agent or ''} | {'settling', kind, id} | {'missing'}
-- events: released, ready
-- fields: queue, held, due, exec.agent
local m = find(A.task)
if not m then return {'missing'} end
if m.batch then return unsettled(m) end
if m.st == T.PAUSED then return {'conflict', m.st, ''} end
local agent = A.agent
local queue = agent ~= '' and '@' .. agent or m.queue
if m.st == T.RUNNING or C.terminal[m.st] then
  local has = call('HGET', key('exec', execution_id(m.id, m.att)), F.exec.agent) or ''
  if agent ~= '' and agent ~= has then return {'conflict', m.st, has} end
  return {'ok', m.st}
end
if queue ~= m.queue then
  if m.granted then
    drop_grant(m)
    enqueue(m)
  end
  if m.st == T.READY then leave_ready(m) end
  m.park = false
  if m.queue:sub(1, 1) == '@' then
    unmark(m.no, 'a:' .. m.queue:sub(2))
    leave_scope(m.id, 'agent:' .. m.queue:sub(2))
  end
  mark(m.no, 'a:' .. agent, 1)
  m.queue = queue
  call('HSET', key('task', m.id), F.queue, queue)
  if m.st == T.READY then enqueue(m) end
end
if m.st == T.PENDING and (m.hold or m.due) then
  call('HDEL', key('task', m.id), F.held, F.due)
  drop_timer('schedule', m.id)
  m.hold, m.due = false, false
  emit(m.run, 'released', m.id)
  try_ready(m, '')
end
grant_made()
return {'ok', m.st}
