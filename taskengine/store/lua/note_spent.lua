-- Notes what an execution used of a service so far; it counts also when the execution is over, for it was used.
-- args: execution, token, spent
-- returns: {'ok'} | {'fenced', status} | {'missing'}
-- spent: lines 'requests input output cache_read cache_write model', of all that it used.
local e = load_execution(A.execution)
if not e then return {'missing'} end
if e.att ~= tonumber(A.token) then return {'fenced', e.st} end
count_spent(e.id, e.task, A.spent)
if e.st ~= E.RUNNING then return {'fenced', e.st} end
return {'ok'}
