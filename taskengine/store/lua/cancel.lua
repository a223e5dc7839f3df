-- Cancels what has not started at once; asks the worker of what runs.
-- args: reason, tasks..., envelope
-- returns: {{'ok', new status} | {'asked'} | {'conflict', status} | {'settling', kind, id} | {'missing'} ...}
-- events: cancelled | cancel_requested
-- fields: cancel, reason
local reason = A.reason
local function cancel(id)
  local m = find(id)
  if not m then return {'missing'} end
  if C.terminal[m.st] then return {'conflict', m.st} end
  local wait = unsettled(m)
  if wait then return wait end
  if m.st == T.RUNNING then
    if m.cq then return {'asked'} end
    call('HSET', key('task', m.id), F.cancel, reason)
    if is_step(m) then
      ask(m.id, '', 'close')
    else
      ask_to_cancel(execution_id(m.id, m.att))
    end
    emit(m.run, 'cancel_requested', m.id, reason)
    return {'asked'}
  end
  close_task(m, T.CANCELLED, reason, F.reason, reason)
  return {'ok', T.CANCELLED}
end
local found = {}
for i = A.tasks.first, A.tasks.last do found[#found + 1] = cancel(A.tasks[i]) end
grant_made()
return found
