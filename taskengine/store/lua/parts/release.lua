-- Tells the dependents of an ended task, as many as a script may touch; a cursor keeps the place.
-- fields: waiting, releasing, counted_as, status, closed_by, failed, skipped, undoing, pinning, run
-- uses: clock, task, ready, pins
-- Whether the last look saw nobody who has dependents left to tell.
local all_told = false
-- The piece of a dependents list that this script may still touch; empty when it touched its share.
local function piece(id, from)
  if left == 0 then return {} end
  return call('LRANGE', key('deps', id), from, from + left - 1)
end
local function release(id, how, from, resumed)
  local lists = call('EXISTS', key('deps', id), K.releases)
  all_told = lists == 0
  if all_told then return end
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
    if how == 's' and #ids + from > 0 then call('DEL', key('deps', id)) end
  end
end
-- Takes back what a FAILED or CANCELLED parent said to its dependents, when it is opened again.
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
  while left > 0 and not all_told and call('EXISTS', K.releases) == 1 do
    continue_release(call('ZRANGE', K.releases, 0, 0)[1])
    left = math.max(0, left - 1)
  end
end
