-- Opens a FAILED or CANCELLED task again, with fresh retries; what its end closed is reopened by the coordinator.
-- args: because, term, entry, tasks..., envelope
-- returns: {{'ok', status} | {'conflict', status} | {'blocked', closed by} | {'settling', kind, id} | {'missing'} | {'stale'} | {'workflow'} it is opened with its steps | {'part'} it is opened with its workflow ...}
-- events: reopened, step_reopened, ready
-- fields: closed_by, failed_before, planned, status, parent
-- because: only when this task closed it ('' = whatever closed it). entry: decision to delete, or ''.
local because, term, entry = A.because, A.term, A.entry
if outdated(term) then return {{'stale'}} end
local function done(reply)
  if entry ~= '' then call('XDEL', K.decisions, entry) end
  return reply
end
local function reopen(id)
  local m = because == '' and find(id) or because ~= '' and find_any(id)
  if not m then return done({'missing'}) end
  if not (m.st == T.FAILED or m.st == T.CANCELLED) then return done({'conflict', m.st}) end
  local v = call('HMGET', key('task', m.id), F.closed_by, F.failed_before)
  -- The step around it has ended as it did, or will: it is opened with that.
  if because == '' and call('HEXISTS', key('task', m.id), F.parent) == 1 then return {'part'} end
  local by = v[1] or ''
  if because ~= '' and by ~= because then return done({'conflict', m.st}) end
  local wait = unsettled(m)
  if wait then return wait end
  if is_step(m) and call('HEXISTS', key('task', m.id), F.planned) == 1 then return {'workflow'} end
  if because == '' and (m.w < 0 and by ~= '' or m.w >= 0 and m.f + m.c > 0) then return {'blocked', by} end
  open_again(m, T.PENDING, v[2])
  return done({'ok', call('HGET', key('task', m.id), F.status)})
end
local found = {}
for i = A.tasks.first, A.tasks.last do found[#found + 1] = reopen(A.tasks[i]) end
grant_made()
return found
