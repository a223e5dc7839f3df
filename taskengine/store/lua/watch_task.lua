-- Says that somebody waits for a task; its end writes one entry to its done stream.
-- args: task
-- returns: {'ok', status} | {'missing'}
-- fields: awaited
local m = find_any(A.task)
if not m then return {'missing'} end
if not C.terminal[m.st] then call('HSET', key('task', m.id), F.awaited, 1) end
return {'ok', m.st}
