-- Erases what a loop's old turns made: the next children of its step, each behind all that lies in it.
-- args: term, entry, step, stay, tasks{task, index}...
-- returns: {'ok', 1 while more remain else 0} | {'stale'} the term
-- fields: status, retrying, parent, run, queue, pinned, releasing, undoing, pinning, placed, planned, run.total
-- fields: run.forgotten, failed_before, path, failed, skipped, turns
-- stay: how many of its children are kept, the newest ones. Those on which an open task of another run depends stay
-- until their run is pruned, and are nobody's children from now on. entry: the decision to delete once none is left to
-- erase, or ''; without one, the rest is asked for. While a graph is stored that may depend on what is here, and in a
-- step that is ending, nothing is erased: a later turn does it.
if outdated(A.term) then return {'stale'} end
local m = load_step(A.step)
if not m or m.st ~= T.RUNNING or m.end_as or call('HEXISTS', key('task', m.id), F.retrying) == 1
  or call('EXISTS', K.batches) == 1 then
  answered(A.entry)
  return {'ok', 0}
end
local stay, left_over = tonumber(A.stay), false
-- Takes the first child of a step from its list, and from the ranges of its run.
local function take_first(parent, id)
  local chunk = call('LINDEX', key('children', parent), 0)
  if not chunk then return false end
  local first, count = span(chunk)
  if id_at(first) ~= id then return false end
  local ranges, rest = key('ranges', m.run), (first + 1) .. ':' .. (count - 1)
  if count > 1 then
    call('LSET', key('children', parent), 0, rest)
    call('LINSERT', ranges, 'BEFORE', chunk, rest)
  else
    call('LPOP', key('children', parent))
  end
  call('LREM', ranges, 1, chunk)
  call('HINCRBY', key('task', parent), F.placed, -1)
  call('HINCRBY', key('task', parent), F.planned, -1)
  return first
end
-- Counts a child that ended badly no more. The steps at a workflow's end that were put before it was retried are not
-- counted since then.
local function uncount(parent, st, failed_before, path)
  local counter = how_counted(st, failed_before)
  if counter ~= F.failed and counter ~= F.skipped then return end
  local last = (path or ''):match('~finally@?(%d*)$')
  local turns = last and tonumber(call('HGET', key('task', parent), F.turns) or 0)
  if last and (tonumber(last) or 1) ~= turns + 1 then return end
  call('HINCRBY', key('task', parent), counter, -1)
end
for i = A.tasks.first, A.tasks.last, A.tasks.width do
  local id = A.tasks[i].task
  local v = call('HMGET', key('task', id), F.status, F.parent, F.run, F.queue, F.pinned, F.releasing, F.undoing,
    F.pinning, F.failed_before, F.path)
  if not v[1] or not C.terminal[v[1]] or v[3] ~= m.run or v[6] or v[7] or v[8]
    or (v[2] == m.id and tonumber(call('HGET', key('task', m.id), F.placed)) <= stay) then break end
  local no = take_first(v[2], id)
  if not no then break end
  uncount(v[2], v[1], v[9], v[10])
  if tonumber(v[5] or 0) > 0 or has_many_lists(id) or call('ZSCORE', K.erasing, id) then
    call('HDEL', key('task', id), F.parent)
    call('RPUSH', key('ranges', m.run), no .. ':1')
  else
    if not is_unseen({queue = v[4]}) then call('HINCRBY', K.counts, v[1], -1) end
    call('HINCRBY', key('run', m.run), F.run.total, -1)
    call('HSET', key('run', m.run), F.run.forgotten, 1)
    erase(id, A.tasks[i].index)
  end
  left_over = true
end
-- Of a piece of which nothing could be erased the rest is not asked for.
left_over = left_over and tonumber(call('HGET', key('task', m.id), F.placed)) > stay
if not left_over then answered(A.entry) elseif A.entry == '' then ask(m.id, '', 'old_turns') end
return {'ok', left_over and 1 or 0}
