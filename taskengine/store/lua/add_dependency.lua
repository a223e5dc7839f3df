-- Adds an edge between stored tasks, checked for cycles by the caller at the given edge revision.
-- args: task, dependency, edge revision, sha
-- returns: {'ok'} | {'stale'} | {'conflict', status} | {'settling', kind, id} | {'missing', id}
-- events: depends, pending
-- uses: settle, put, park, execution, ready
local m = find(ARGV[1])
if not m then return {'missing', ARGV[1]} end
local p = find(ARGV[2])
if not p then return {'missing', ARGV[2]} end
local wait = m.batch and unsettled(m) or (p.batch and unsettled(p))
if wait then return wait end
local on = call('HGET', key('task', m.id), 'on') or ''
if on:find(p.id, 1, true) then return {'ok'} end
if not (m.st == T.PENDING or m.st == T.READY) or m.att > (m.granted and 1 or 0) then return {'conflict', m.st} end
if (call('GET', K.edges) or '0') ~= ARGV[3] then return {'stale'} end
call('INCR', K.edges)
if m.st == T.READY then
  if m.granted then drop_grant(m) else leave_ready(m) end
  move(m, T.PENDING)
  call('HSET', key('task', m.id), 'st', T.PENDING)
  emit(m.run, 'pending', m.id)
end
local v = call('HMGET', key('task', p.id), 'rel', 'undo')
local w, f, c = edge({id = p.id, st = p.st, releasing = v[1], undoing = v[2], run = p.run}, m.id, m.run)
call('HSET', key('task', m.id), 'on', on == '' and p.id or (on .. ' ' .. p.id), 'sha', ARGV[4])
if p.run ~= m.run then call('HSET', key('task', m.id), 'xr', 1) end
m.w = call('HINCRBY', key('task', m.id), 'w', w)
if f > 0 then m.f = call('HINCRBY', key('task', m.id), 'f', f) end
if c > 0 then m.c = call('HINCRBY', key('task', m.id), 'c', c) end
emit(m.run, 'depends', m.id, p.id)
try_ready(m, p.id)
for _, lane in ipairs(made_list) do call('XADD', K.wake, 'MAXLEN', '~', 1000, '*', 'l', lane) end
return {'ok'}
