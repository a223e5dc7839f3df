-- Dependencies: edges and counters, and how the end of a task reaches those that wait for it.
-- fields: run, pinned, depends_on, pinning, status, failed_before, waiting, releasing, undoing, crosses_runs, failed
-- fields: skipped, counted_as, closed_by, run.open, run.finished, reopened, finished, error, error_kind, reason
-- fields: cancel, retries, lost, not_now, at_risk, due, pause_asked, reference, answers, tokens, batch, deleting, late_edge

-- A task of another run that is not over depends on it: one reason more to keep it.
-- lazy
local function pin(id, run)
  local owner = call('HGET', key('task', id), F.run)
  if owner and owner ~= run then call('HINCRBY', key('task', id), F.pinned, 1) end
end
-- A task of another run that depends on it is over, or gone: one reason less to keep it when its own run is pruned.
-- lazy
local function unpin(id, run)
  local owner = call('HGET', key('task', id), F.run)
  if owner and owner ~= run and call('HINCRBY', key('task', id), F.pinned, -1) == 0 then
    call('HDEL', key('task', id), F.pinned)
  end
end

-- A task that is not over keeps its parents in other runs by a pin on each: taken off at its end, put on again when it
-- is opened again, as many parents as a script may touch; a cursor keeps the place.
-- What a script may still touch, of parents and dependents together.
local left = 256
-- The parents at [from, from + left) of a task's list of ids, 37 letters each, and whether these are the last ones.
-- lazy
local function parents_piece(on, from)
  local piece = on:sub(from * 37 + 1, (from + left) * 37)
  local n = math.floor((#piece + 1) / 37)
  left = left - n
  return piece, from + n, (from + n) * 37 >= #on
end
-- Whether all parents heard; if not, the rest goes on at a cursor.
-- lazy
local function tell_parents(id, run, over, from)
  local piece, cursor, all = parents_piece(call('HGET', key('task', id), F.depends_on) or '', from)
  for d in piece:gmatch('%S+') do
    if over then unpin(d, run) else pin(d, run) end
  end
  if not all then
    call('HSET', key('task', id), F.pinning, cursor)
    call('ZADD', K.releases, now, id)
  end
  return all
end

-- Edges of a stored task that has not started: what leaving one and taking one on does to its counters.
local function drop_edge(m, d)
  local v = call('HMGET', key('task', d), F.status, F.failed_before)
  if not v[1] then return end
  forget_edges(m.id, d)
  local counter = how_counted(v[1], v[2]) or F.waiting
  if counter ~= 's' then m[counter] = call('HINCRBY', key('task', m.id), counter, -1) end
  unpin(d, m.run)
end
local function raise(m, counter, by)
  if by > 0 then m[counter] = call('HINCRBY', key('task', m.id), counter, by) end
end
local function add_edge(m, p)
  local v = call('HMGET', key('task', p.id), F.releasing, F.undoing, F.failed_before)
  local w, f, c = edge({id = p.id, st = p.st, releasing = v[1], undoing = v[2], run = p.run, fb = v[3]}, m.id, m.run)
  if p.run ~= m.run then call('HSET', key('task', m.id), F.crosses_runs, 1) end
  raise(m, F.waiting, w)
  raise(m, F.failed, f)
  raise(m, F.skipped, c)
end
-- Replaces edges in one go; `gone` and `parents` are ids to leave and tasks to wait for.
local function change_edges(m, gone, parents)
  local on, left, has = call('HGET', key('task', m.id), F.depends_on) or '', {}, {}
  for d in on:gmatch('%S+') do
    if gone[d] then
      drop_edge(m, d)
    else
      left[#left + 1] = d
      has[d] = true
    end
  end
  for _, p in ipairs(parents) do
    if not has[p.id] then
      add_edge(m, p)
      left[#left + 1] = p.id
    end
  end
  call('HSET', key('task', m.id), F.depends_on, table.concat(left, ' '))
end

-- Tells the dependents of an ended task, as many as a script may touch; a cursor keeps the place.
-- Whether the last look saw nobody who has dependents left to tell.
local all_released = false
-- The piece of a dependents list that this script may still touch; empty when it touched its share.
local function piece(id, from)
  if left == 0 then return {} end
  return call('LRANGE', key('dependents', id), from, from + left - 1)
end
local function release(id, how, from, resumed)
  local lists = call('EXISTS', key('dependents', id), K.releases)
  all_released = lists == 0
  if all_released then return end
  local most = left
  local ids = piece(id, from)
  for _, d in ipairs(ids) do
    local w = call('HINCRBY', key('task', d), F.waiting, -1)
    if how ~= 's' then
      call('HINCRBY', key('task', d), how, 1)
      ask(d, id, how)
    elseif w <= 0 then
      local m = load(d)
      if m then try_ready(m, id) end
    end
  end
  left = left - #ids
  if #ids == most then
    call('HSET', key('task', id), F.releasing, from + #ids, F.counted_as, how)
    call('ZADD', K.releases, now, id)
  else
    if resumed then
      call('HDEL', key('task', id), F.releasing, F.counted_as)
      call('ZREM', K.releases, id)
    end
    if how == 's' and #ids + from > 0 then call('DEL', key('dependents', id)) end
  end
end
-- Takes back what a FAILED or CANCELLED parent said to its dependents, when it is opened again.
-- lazy
local function take_back(id, how, from)
  local most = left
  local ids = piece(id, from)
  for _, d in ipairs(ids) do
    local w = call('HINCRBY', key('task', d), F.waiting, 1)
    call('HINCRBY', key('task', d), how, -1)
    local v = call('HMGET', key('task', d), F.status, F.closed_by, F.failed, F.skipped)
    -- One with a rule of its own may hold again whichever dependency was blamed.
    if v[1] == T.CANCELLED and (v[2] == id or (v[2] and w < 0)) then ask(d, id, 'reopen') end
    -- This failure was to blame before all others. Whoever hid behind it is to blame now, and nobody else asks.
    if v[1] == T.PENDING and tonumber(v[3] or 0) + tonumber(v[4] or 0) > 0 then ask(d, id, 'counters') end
  end
  left = left - #ids
  if #ids == most then
    call('HSET', key('task', id), F.undoing, from + #ids, F.counted_as, how)
    call('ZADD', K.releases, now, id)
    return
  end
  call('HDEL', key('task', id), F.undoing, F.counted_as)
  call('ZREM', K.releases, id)
  local m = load(id)
  m.w = call('HINCRBY', key('task', id), F.waiting, -1)
  try_ready(m, id)
end
local counted = false
-- Whoever deletes tasks looked for open ones before, and did not see these.
local function note_opened()
  if not counted then call('INCR', K.reopens) end
  counted = true
end
-- FAILED or CANCELLED -> PENDING, or of a step with children -> RUNNING: as if it had not ended, with fresh retries.
local function open_again(m, to, failed_before)
  local how = how_counted(m.st, failed_before)
  if call('HINCRBY', key('run', m.run), F.run.open, 1) == 1 then
    call('ZREM', K.finished, m.run)
    call('HDEL', key('run', m.run), F.run.finished)
  end
  move(m, to)
  call('HSET', key('task', m.id), F.status, to, F.reopened, 1)
  note_opened()
  call('HDEL', key('task', m.id), F.finished, F.error, F.error_kind, F.reason, F.closed_by, F.failed_before, F.cancel,
    F.retries, F.lost, F.not_now, F.at_risk, F.due, F.pause_asked, F.reference, F.answers, F.tokens)
  if m.clk then renew_clocks(m) end
  call('ZREM', K.dead, m.id)
  forget_age(m)
  watch_deadline(m.id, m.score)
  call('DEL', key('done', m.id))
  if to == T.RUNNING then
    emit(m.run, 'step_running', m.id)
  elseif is_unseen(m) then
    emit(m.run, 'step_reopened', m.id)
  else
    emit(m.run, 'reopened', m.id)
  end
  m.w = call('HINCRBY', key('task', m.id), F.waiting, 1)
  if m.xr and not tell_parents(m.id, m.run, false, 0) then
    call('HSET', key('task', m.id), F.undoing, 0, F.counted_as, how)
  else
    take_back(m.id, how, 0)
  end
end
-- lazy
local function continue_release(id)
  local v = call('HMGET', key('task', id), F.releasing, F.undoing, F.counted_as, F.pinning, F.status, F.run)
  if v[4] then
    if not tell_parents(id, v[6], C.terminal[v[5]], tonumber(v[4])) then return end
    call('HDEL', key('task', id), F.pinning)
  end
  if v[1] then
    release(id, v[3], tonumber(v[1]), true)
  elseif v[2] then
    take_back(id, v[3], tonumber(v[2]))
  else
    call('ZREM', K.releases, id)
  end
end
-- Each look counts as one touched, or a thousand cursors with nobody left behind them would be one script's work.
local function continue_releases()
  while left > 0 and not all_released and call('EXISTS', K.releases) == 1 do
    continue_release(call('ZRANGE', K.releases, 0, 0)[1])
    left = math.max(0, left - 1)
  end
end
-- A cursor behind the removed place moves along, or it would skip the dependent that slips into its gap.
local function forget_edges(id, on)
  for d in (on or ''):gmatch('%S+') do
    local v = call('HMGET', key('task', d), F.releasing, F.undoing)
    local cursor = tonumber(v[1] or v[2] or 0)
    local at = cursor > 0 and call('LPOS', key('dependents', d), id)
    if at and at < cursor then call('HINCRBY', key('task', d), v[1] and F.releasing or F.undoing, -1) end
    call('LREM', key('dependents', d), -1, id)  -- swept newest first: from the tail
  end
end
-- The stored parents of t as the edges need them, or nil and the first id that is not there.
local function parents_of(t, batch)
  local parents = {}
  for d in t.on:gmatch('%S+') do
    local p = call('HMGET', key('task', d), F.status, F.batch, F.releasing, F.run, F.undoing, F.deleting)
    if not p[1] or p[6] then return nil, d end
    if p[2] ~= batch and is_open(p[2]) then return nil, d end
    parents[#parents + 1] = {id = d, st = p[1], releasing = p[3], run = p[4], undoing = p[5],
      fb = p[1] == T.CANCELLED and call('HGET', key('task', d), F.failed_before)}
  end
  return parents
end
-- Whoever deletes p looked for those that depend on it before, and did not see this one. One in another run pins it.
local late = nil
local function note_late(id)
  late = late or call('INCR', K.late_edges)
  call('HSET', key('task', id), F.late_edge, late)
end
-- Registers one edge; returns what it adds to waiting, failed and skipped of the dependent.
local function edge(p, id, run)
  if p.run ~= run then
    call('HINCRBY', key('task', p.id), F.pinned, 1)
  elseif C.terminal[p.st] then
    note_late(p.id)
  end
  if p.st == T.COMPLETED then return 0, 0, 0 end
  if p.undoing then
    -- Before the cursor: it never heard of the end that is being taken back.
    call('LPUSH', key('dependents', p.id), id)
    call('HINCRBY', key('task', p.id), F.undoing, 1)
    return 1, 0, 0
  end
  call('RPUSH', key('dependents', p.id), id)
  if p.releasing or not C.terminal[p.st] then return 1, 0, 0 end
  if p.st == T.FAILED or p.fb then return 0, 1, 0 end
  return 0, 0, 1
end
-- Registers edges; what they add up to, and whether one comes from another run.
local function add_edges(parents, id, run)
  local w, f, c, foreign = 0, 0, 0, false
  for _, p in ipairs(parents) do
    local dw, df, dc = edge(p, id, run)
    w, f, c, foreign = w + dw, f + df, c + dc, foreign or p.run ~= run
  end
  return w, f, c, foreign
end
