-- Keeps what the next attempt of a task must know, such as where its work went, if the token still holds.
-- args: execution, token, reference
-- returns: {'ok'} | {'fenced', status} | {'missing'}
-- reference: JSON. The moment of each change is kept with it.
local e = load_execution(A.execution)
if not e then return {'missing'} end
if e.st ~= E.RUNNING or e.att ~= tonumber(A.token) then return {'fenced', e.st} end
keep_reference(e, A.reference)
return {'ok'}
