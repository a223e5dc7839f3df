-- Ends slotless executions as LOST that their service does not know any more; the next attempt begins anew.
-- args: runs{execution, token, why}..., envelope
-- returns: {{'ok', task's status} | {'conflict', status} | {'missing'} ...}
-- events: lost, ready | paused | failed | cancelled
-- fields: reference, exec.reference
local function lose(at)
  local e, why = load_detached(A.runs[at].execution, A.runs[at].token)
  if not e then return why == 'missing' and {'missing'} or {'conflict', why} end
  -- Nothing goes on there, and nobody has to end it.
  call('HDEL', key('exec', e.id), F.exec.reference)
  call('HDEL', key('task', e.task), F.reference)
  return {'ok', mark_lost(e, A.runs[at].why, true)}
end
local found = {}
for at = A.runs.first, A.runs.last, A.runs.width do found[#found + 1] = lose(at) end
grant_made()
return found
