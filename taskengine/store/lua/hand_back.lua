-- Gives back what runs, or was about to, before its process is ended or goes on without it: READY again, no retry and
-- no loss counted. Each by itself.
-- args: why, executions{execution, token}..., envelope
-- returns: {{'ok', task's status} | {'conflict', status} | {'missing'} ...}
-- events: handed_back, ready | paused | cancelled
-- fields: exec.error, exec.error_kind
local function hand_back(eid, token)
  local e = load_execution(eid)
  if not e then return {'missing'} end
  -- A worker knows what it holds by its last beat. What was detached since then goes on without it, and another attempt
  -- would begin it a second time.
  if e.st ~= E.RUNNING or e.att ~= tonumber(token) or e.node == '~' then return {'conflict', e.st} end
  local m = load(e.task)
  end_execution(e, E.CANCELLED, F.exec.error, A.why, F.exec.error_kind, 'handed_back')
  if m.cq then cancelled_task(m) else run_again(m, 'handed_back', m.att .. ' ' .. e.node) end
  return {'ok', m.st}
end
local found = {}
for at = A.executions.first, A.executions.last, A.executions.width do
  found[#found + 1] = hand_back(A.executions[at].execution, A.executions[at].token)
end
grant_made()
return found
