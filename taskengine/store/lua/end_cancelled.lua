-- Ends a cancelled execution whose grace is over: fenced first, then its caller ends the process.
-- args: execution, token, envelope
-- returns: {'ok', task's status} | {'conflict', status} | {'missing'}
-- events: cancelled
-- uses: grant, lose
local e = load_execution(ARGV[1])
if not e then return {'missing'} end
if e.st ~= E.RUNNING or e.att ~= tonumber(ARGV[2]) then return {'conflict', e.st} end
local m = load(e.task)
end_execution(e, E.CANCELLED, 'err', m.cq or 'cancelled', 'knd', 'cancelled')
cancelled_task(m)
note_lanes_of(e.node)
grant_made()
return {'ok', m.st}
