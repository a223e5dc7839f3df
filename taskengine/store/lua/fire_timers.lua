-- Acts on timers that are due: a task starts, is tried again, or is over because its time is; a pause ends.
-- What is paused has timers that stand: one that comes due is kept aside until the pause ends.
-- args: term, most, envelope
-- returns: {'ok', fired, ms until the next or -1} | {'stale'}
-- events: ready, cancelled, failed, run_resumed, resumed, retrying
-- fields: due, error, error_kind, reason, clocks, total_end
if outdated(A.term) then return {'stale'} end
local function in_seconds(ms) return ms / 1000 .. ' s' end
local ACTS = {
  retry = function(m)
    if m.st ~= T.RETRYING then return end
    call('HDEL', key('task', m.id), F.due, F.error, F.error_kind)
    forget_age(m)
    make_ready(m)
  end,
  schedule = function(m)
    if m.st ~= T.PENDING then return end
    call('HDEL', key('task', m.id), F.due)
    m.due = false
    try_ready(m, '')
  end,
  -- What had begun once goes on; a grant alone is no beginning.
  expire = function(m)
    if C.terminal[m.st] or m.att > (m.granted and 1 or 0) then return end
    local why = 'had not started by its expires_at'
    close_task(m, T.CANCELLED, why, F.reason, why)
  end,
  queue = function(m)
    if m.st ~= T.READY then return end
    local why = 'no worker took it within its queue_timeout of ' .. in_seconds(clock_of(m, 'qt'))
    if m.park then why = why .. ' (parked: ' .. m.park .. ')' end
    close_task(m, T.FAILED, 'timeout', F.error, why, F.error_kind, 'timeout')
  end,
  total = function(m)
    if C.terminal[m.st] then return end
    local why = 'the total_timeout of ' .. in_seconds(clock_of(m, 'tt'))
      .. ' for all attempts ended before the next one'
    close_task(m, T.FAILED, 'timeout', F.error, why, F.error_kind, 'timeout')
  end,
}
for kind, how in pairs({step = 'timer', moment = 'timer', limit = 'timeout'}) do
  ACTS[kind] = function(m)
    local clk = (m.clk or ''):gsub(kind .. '=%d+,?', ''):gsub(',$', '')
    if clk == '' then call('HDEL', key('task', m.id), F.clocks) else call('HSET', key('task', m.id), F.clocks, clk) end
    if not C.terminal[m.st] then ask(m.id, '', how) end
  end
end
-- Whether a due timer does not act yet; here is the one place where a clock stands still.
local function is_put_off(m, kind, item)
  local later = unsettled(m) and 1000
  -- Its node ends it; if that is lost, the task comes back.
  if kind == 'total' and m.st == T.RUNNING then later = C.lease_ms end
  if later then
    call('ZADD', K.timers, now + later, item)
    return true
  end
  local scope = blocked_by(m)
  if scope then
    suspend_timer(item, scope)
    return true
  end
  local more = GROWS[kind] and grown(m, GROWS[kind]) or 0
  if more == 0 then return false end
  local at = call('ZSCORE', K.timers, item) + more
  if kind == 'total' then call('HSET', key('task', m.id), F.total_end, at) end
  if at <= now then return false end
  call('ZADD', K.timers, at, item)
  return true
end
-- A limit may have room again.
local function open_limit(name)
  local l = load_limit(name)
  if room_of(l) > 0 then note_limit(name) else watch_limit(l) end
end
local function fire(item)
  local kind, id = item:match('^(%w+):(.*)$')
  if kind == 'open' then
    call('ZREM', K.timers, item)
    return open_limit(id)
  end
  -- One of a newer version is left to it, and blocks none of those behind it.
  if kind ~= 'resume' and not ACTS[kind] then
    call('ZADD', K.timers, now + 5000, item)
    return
  end
  if kind == 'resume' then
    call('ZREM', K.timers, item)
    if id:sub(1, 5) == 'task:' then resume_task(id:sub(6)) else resume(id, 'its time') end
    return
  end
  local m = load(id)
  if m and is_put_off(m, kind, item) then return end
  call('ZREM', K.timers, item)
  if m then ACTS[kind](m) end
end
local due = call('ZRANGEBYSCORE', K.timers, '-inf', now, 'LIMIT', 0, A.most)
for _, item in ipairs(due) do
  -- What an earlier one ended has no timers any more.
  if call('ZSCORE', K.timers, item) then fire(item) end
end
grant_made()
local nearest = call('ZRANGE', K.timers, 0, 0, 'WITHSCORES')
return {'ok', #due, nearest[2] and math.max(0, nearest[2] - now) or -1}
