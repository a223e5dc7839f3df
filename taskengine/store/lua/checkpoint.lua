-- Keeps what the next attempt of a task must know, such as where its work went, if the token still holds.
-- args: execution, token, reference
-- returns: {'ok'} | {'fenced', status} | {'missing'}
-- fields: exec.reference, reference, extra
-- reference: JSON. The moment of each change is kept with it.
local e = load_execution(A.execution)
if not e then return {'missing'} end
if e.st ~= E.RUNNING or e.att ~= tonumber(A.token) then return {'fenced', e.st} end
local before = call('HGET', key('exec', e.id), F.exec.reference)
if before and before:match('^%d+ (.*)$') == A.reference then return {'ok'} end
local record = now .. ' ' .. A.reference
call('HSET', key('exec', e.id), F.exec.reference, record)
call('HSET', key('task', e.task), F.reference, record, F.extra, 1)
return {'ok'}
