-- Gives tasks another priority; one that is queued has its new place at once.
-- args: priority_index, tasks{task, revision, doc, score, old_index}..., envelope
-- returns: {{'ok'} | {'conflict', status} | {'stale'} | {'settling', kind, id} | {'missing'} ...}
-- events: updated
-- fields: revision, doc, score, aged
-- revision: of the record that doc was made of. A granted one is taken back: its message has the old priority.
local function reprioritise(at)
  local m = find(A.tasks[at].task)
  if not m then return {'missing'} end
  if m.batch then return unsettled(m) end
  if C.terminal[m.st] then return {'conflict', m.st} end
  if (call('HGET', key('task', m.id), F.revision) or '0') ~= A.tasks[at].revision then return {'stale'} end
  local queued = m.st == T.READY
  if queued and m.granted then drop_grant(m) elseif queued then leave_ready(m) end
  m.score = A.tasks[at].score
  call('HSET', key('task', m.id), F.doc, A.tasks[at].doc, F.score, m.score)
  call('HDEL', key('task', m.id), F.aged)
  call('HINCRBY', key('task', m.id), F.revision, 1)
  unmark(m.no, A.tasks[at].old_index)
  mark(m.no, A.priority_index, 1)
  emit(m.run, 'updated', m.id)
  if queued then enqueue(m) end
  return {'ok'}
end
local found = {}
for at = A.tasks.first, A.tasks.last, A.tasks.width do found[#found + 1] = reprioritise(at) end
grant_made()
return found
