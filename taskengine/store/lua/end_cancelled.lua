-- Ends a cancelled execution whose grace is over: fenced first, then its caller ends the process.
-- args: execution, token, envelope
-- returns: {'ok', task's status} | {'conflict', status} | {'missing'}
-- events: cancelled
-- fields: exec.error, exec.error_kind
local e = load_execution(A.execution)
if not e then return {'missing'} end
if e.st ~= E.RUNNING or e.att ~= tonumber(A.token) then return {'conflict', e.st} end
local m = load(e.task)
end_execution(e, E.CANCELLED, F.exec.error, m.cq or 'cancelled', F.exec.error_kind, 'cancelled')
cancelled_task(m)
note_queues_of(e.node)
grant_made()
return {'ok', m.st}
