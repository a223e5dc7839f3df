-- Takes a task off the list of dead letters; it stays FAILED with its story.
-- args: task
-- returns: {'ok'} | {'missing'} it is no dead letter
-- events: dropped
-- uses: task, event
local run = call('HGET', key('task', ARGV[1]), 'run')
if call('ZREM', K.dead, ARGV[1]) == 0 then return {'missing'} end
if run then emit(run, 'dropped', ARGV[1]) end
return {'ok'}
