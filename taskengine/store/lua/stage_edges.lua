-- Gives a staged task more dependencies: those that did not fit into the script that staged it.
-- args: batch, task, dependencies...
-- returns: {'ok'} also when it is there already | {'missing', task, dependency} | {'taken'}
-- fields: batch, depends_on, run, crosses_runs, waiting, failed, skipped, batch.state
local batch, id = A.batch, A.task
local v = call('HMGET', key('task', id), F.batch, F.depends_on, F.run)
if call('HGET', key('batch', batch), F.batch.state) ~= 'open' then return {'taken'} end
-- An older twin has its own; a copy of this call finds them there.
if v[1] ~= batch or v[2]:find(A.dependencies[A.dependencies.first], 1, true) then return {'ok'} end
local more = table.concat(ARGV, ' ', A.dependencies.first)
local parents, missing = parents_of({on = more}, batch)
if missing then return {'missing', id, missing} end
local w, f, c, foreign = add_edges(parents, id, v[3])
call('HSET', key('task', id), F.depends_on, v[2] .. ' ' .. more)
if foreign then call('HSET', key('task', id), F.crosses_runs, 1) end
call('HINCRBY', key('task', id), F.waiting, w)
if f > 0 then call('HINCRBY', key('task', id), F.failed, f) end
if c > 0 then call('HINCRBY', key('task', id), F.skipped, c) end
return {'ok'}
