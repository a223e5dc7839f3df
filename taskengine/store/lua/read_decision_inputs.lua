-- What decisions about tasks need, each with its revision.
-- args: start, blamed, tasks{task, because}...
-- reply snapshot: word, status, waiting, failed, skipped, dependencies, rule, visible, held, revision, closed_by
-- reply snapshot: because, name, ended, next
-- returns: {snapshot | {'step'} one to think about by its own | {'missing'} ...}
-- fields: name, status, undoing, failed_before, started, closed_by, depends_on, rule
-- because: the dependency to blame. Where the given one did not end so (or none is given), the first of the task's
-- dependencies that did is searched behind `start`, 256 looked at in one script; next: where to search on, or -1.
-- its end: s, f, c as it counts, but b if it counts as failed because of one before it; 'open'; '' when it is not there.
-- 'gone' is one that was deleted or pruned, when nobody that is there is to blame; 'undoing' is nobody: one is being
-- opened again, and has not yet taken back its word from all who depend on it.
-- blamed: the ends that it may have, as letters; '' = the worst one that there is, for plain tasks alone.
local left, plain = 256, 'all_success'
local function end_of(st, fb)
  if not st then return '' end
  return fb and 'b' or how_counted(st) or 'open'
end
local function is_blamed(its, blamed)
  return #its == 1 and blamed:find(its, 1, true)
end
local function search(on, blamed)
  local n, other, what = 0, '', ''
  for d in (on or ''):gmatch('%S+') do
    n = n + 1
    if n > tonumber(A.start) then
      if left == 0 then return other, '', what, n - 1 end
      left = left - 1
      local b = call('HMGET', key('task', d), F.name, F.status, F.undoing, F.failed_before)
      local its = end_of(b[2], b[4])
      if is_blamed(its, blamed) then return d, b[1] or '', its, -1 end
      if b[3] then
        what = 'undoing'
      elseif not b[2] and what == '' then
        other, what = d, 'gone'
      end
    end
  end
  return other, '', what, -1
end
-- Who is to blame, where the rule of a pending task cannot hold.
local function culprit(m, because, on, blamed)
  local b = because ~= m.id and call('HMGET', key('task', because), F.name, F.status, F.failed_before) or {}
  local name, its = b[1] or '', end_of(b[2], b[3])
  if blamed == '' and m.w >= 0 and m.f + m.c > 0 then blamed = m.f > 0 and 'fb' or 'c' end
  if m.st ~= T.PENDING or blamed == '' or is_blamed(its, blamed) then return because, name, its, -1 end
  return search(on, blamed)
end
local function snapshot(id, because)
  local m = load(id)
  if not m then return {'missing'} end
  if is_step(m) and (m.st ~= T.PENDING or m.f + m.c == 0) then
    if m.st == T.PENDING or call('HEXISTS', key('task', id), F.started) == 1 then return {'step'} end
  end
  local v = call('HMGET', key('task', id), F.closed_by, F.depends_on, F.rule, F.undoing)
  local waiting, visible = m.w, not m.batch
  if m.w < 0 then
    -- Without the waits that are no dependencies: the rule counts only these.
    waiting = m.w + C.ruled - (m.batch and 1 or 0) - (v[4] and 1 or 0)
    visible = visible and not v[4]
  end
  local blamed, name, its, from = culprit(m, because, v[2], A.blamed)
  return R.snapshot{word = 'ok', status = m.st, waiting = waiting, failed = m.f, skipped = m.c,
    dependencies = math.floor((#(v[2] or '') + 1) / 37), rule = v[3] or plain, visible = visible and 1 or 0,
    held = (m.hold or m.due) and 1 or 0, revision = revision(m), closed_by = v[1] or '', because = blamed, name = name,
    ended = its, next = from}
end
local found = {}
for i = A.tasks.first, A.tasks.last, A.tasks.width do
  found[#found + 1] = snapshot(A.tasks[i].task, A.tasks[i].because)
end
return found
