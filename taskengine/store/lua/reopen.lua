-- Opens a FAILED or CANCELLED task again, with fresh retries; what its end closed is reopened by the coordinator.
-- args: because, term, entry, tasks..., envelope
-- returns: {{'ok', status} | {'conflict', status} | {'blocked', closed by} | {'settling', kind, id} | {'missing'} | {'stale'} ...}
-- events: reopened, step_reopened, ready
-- fields: closed_by, failed_before, status, reopened, finished, error, error_kind, reason, cancel, retries, lost
-- fields: not_now, at_risk, due, pause_asked, waiting, undoing, counted_as, run.open, run.finished
-- because: only when this task closed it ('' = whatever closed it). entry: decision to delete, or ''.
local because, term, entry = A.because, A.term, A.entry
if outdated(term) then return {{'stale'}} end
local function done(reply)
  if entry ~= '' then call('XDEL', K.decisions, entry) end
  return reply
end
local counted = false
-- Whoever deletes tasks looked for open ones before, and did not see these.
local function note_opened()
  if not counted then call('INCR', K.reopens) end
  counted = true
end
local function reopen(id)
  local m = because == '' and find(id) or because ~= '' and find_any(id)
  if not m then return done({'missing'}) end
  if not (m.st == T.FAILED or m.st == T.CANCELLED) then return done({'conflict', m.st}) end
  local v = call('HMGET', key('task', m.id), F.closed_by, F.failed_before)
  local by = v[1] or ''
  if because ~= '' and by ~= because then return done({'conflict', m.st}) end
  local wait = unsettled(m)
  if wait then return wait end
  if because == '' and (m.w < 0 and by ~= '' or m.w >= 0 and m.f + m.c > 0) then return {'blocked', by} end
  local how = how_counted(m.st, v[2])
  if call('HINCRBY', key('run', m.run), F.run.open, 1) == 1 then
    call('ZREM', K.finished, m.run)
    call('HDEL', key('run', m.run), F.run.finished)
  end
  move(m, T.PENDING)
  call('HSET', key('task', m.id), F.status, T.PENDING, F.reopened, 1)
  note_opened()
  call('HDEL', key('task', m.id), F.finished, F.error, F.error_kind, F.reason, F.closed_by, F.failed_before, F.cancel,
    F.retries, F.lost, F.not_now, F.at_risk, F.due, F.pause_asked)
  if m.clk then renew_clocks(m) end
  call('ZREM', K.dead, m.id)
  forget_age(m)
  watch_deadline(m.id, m.score)
  call('DEL', key('done', m.id))
  if is_unseen(m) then emit(m.run, 'step_reopened', m.id) else emit(m.run, 'reopened', m.id) end
  m.w = call('HINCRBY', key('task', m.id), F.waiting, 1)
  if m.xr and not tell_parents(m.id, m.run, false, 0) then
    call('HSET', key('task', m.id), F.undoing, 0, F.counted_as, how)
  else
    take_back(m.id, how, 0)
  end
  return done({'ok', call('HGET', key('task', m.id), F.status)})
end
local found = {}
for i = A.tasks.first, A.tasks.last do found[#found + 1] = reopen(A.tasks[i]) end
grant_made()
return found
