-- Adds an edge between stored tasks, checked for cycles by the caller at the given edge revision.
-- args: task, dependency, edge_revision, sha
-- returns: {'ok'} | {'stale'} | {'conflict', status} | {'settling', kind, id} | {'missing', id}
-- events: depends, pending
-- fields: depends_on, sha
local m = find(A.task)
if not m then return {'missing', A.task} end
local p = find_any(A.dependency)
if not p then return {'missing', A.dependency} end
local wait = m.batch and unsettled(m) or (p.batch and unsettled(p))
if wait then return wait end
local on = call('HGET', key('task', m.id), F.depends_on) or ''
if on:find(p.id, 1, true) then return {'ok'} end
if not (m.st == T.PENDING or m.st == T.READY or m.st == T.PAUSED) or m.att > (m.granted and 1 or 0) then return {'conflict', m.st} end
if (call('GET', K.edge_revision) or '0') ~= A.edge_revision then return {'stale'} end
call('INCR', K.edge_revision)
if m.st == T.READY then
  if m.granted then drop_grant(m) else leave_ready(m) end
  wait_again(m)
end
call('HSET', key('task', m.id), F.depends_on, on == '' and p.id or (on .. ' ' .. p.id), F.sha, A.sha)
add_edge(m, p)
emit(m.run, 'depends', m.id, p.id)
try_ready(m, p.id)
wake_made()
return {'ok'}
