-- Gives a staged task more dependencies: those that did not fit into the script that staged it.
-- args: batch, task, dependency ...
-- returns: {'ok'} also when it is there already | {'missing', task, dependency} | {'taken'}
-- uses: put
local batch, id = ARGV[1], ARGV[2]
local v = call('HMGET', key('task', id), 'batch', 'on', 'run')
if call('HGET', key('batch', batch), 'state') ~= 'open' then return {'taken'} end
-- An older twin has its own; a copy of this call finds them there.
if v[1] ~= batch or v[2]:find(ARGV[3], 1, true) then return {'ok'} end
local more = table.concat(ARGV, ' ', 3)
local parents, missing = parents_of({on = more}, batch)
if missing then return {'missing', id, missing} end
local w, f, c, foreign = add_edges(parents, id, v[3])
call('HSET', key('task', id), 'on', v[2] .. ' ' .. more)
if foreign then call('HSET', key('task', id), 'xr', 1) end
call('HINCRBY', key('task', id), 'w', w)
if f > 0 then call('HINCRBY', key('task', id), 'f', f) end
if c > 0 then call('HINCRBY', key('task', id), 'c', c) end
return {'ok'}
