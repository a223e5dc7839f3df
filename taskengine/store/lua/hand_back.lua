-- Gives running work back before its process is ended: READY again, no retry and no loss counted.
-- args: execution, token, why, envelope
-- returns: {'ok', task's status} | {'conflict', status} | {'missing'}
-- events: handed_back, ready | paused | cancelled
-- uses: grant, lose
local e = load_execution(ARGV[1])
if not e then return {'missing'} end
if e.st ~= E.RUNNING or e.att ~= tonumber(ARGV[2]) then return {'conflict', e.st} end
local m = load(e.task)
end_execution(e, E.CANCELLED, false, 'err', ARGV[3], 'knd', 'handed_back')
if m.cq then cancelled_task(m) else run_again(m, 'handed_back', m.att .. ' ' .. e.node) end
grant_made()
return {'ok', m.st}
