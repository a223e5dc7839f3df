-- Takes a task off the list of dead letters; it stays FAILED with its history.
-- args: task
-- returns: {'ok'} | {'missing'} it is no dead letter
-- events: dropped
-- fields: run
local run = call('HGET', key('task', A.task), F.run)
if call('ZREM', K.dead, A.task) == 0 then return {'missing'} end
if run then emit(run, 'dropped', A.task) end
return {'ok'}
