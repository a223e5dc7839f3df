-- Says that somebody follows the log of an attempt at a task: for some seconds its worker sends what it streams.
-- args: task, attempt, for_ms
-- returns: {'ok'} | {'missing'}
-- fields: exec.watched
-- attempt: 0 = the latest. One that does not run is left as it is.
local m = find(A.task)
if not m then return {'missing'} end
local attempt = tonumber(A.attempt)
local e = load_execution(execution_id(m.id, attempt > 0 and attempt or m.att))
if not e or e.st ~= E.RUNNING then return {'ok'} end
local left = tonumber(call('HGET', key('exec', e.id), F.exec.watched) or 0) - now
if left < A.for_ms / 2 then call('HSET', key('exec', e.id), F.exec.watched, now + A.for_ms) end
return {'ok'}
