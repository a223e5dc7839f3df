-- Timers, clocks and deadlines.
-- fields: run, queue, queue_paused, total_end, total_paused, exec.heartbeat, exec.silent_until, clocks, started
-- fields: timeout, exec.deadline, ready, step_paused, limit_paused, at_risk

-- Timers of a task: in the coordinator's set, or suspended under a pause.
local KINDS = {'schedule', 'retry', 'expire', 'queue', 'total', 'step', 'moment', 'limit'}
-- lazy
local function timers_of(id)
  local found = {}
  for i, kind in ipairs(KINDS) do found[i] = kind .. ':' .. id end
  return found
end
-- Under which scopes timers of a task may be suspended: those that it feels, not the thousands that may be paused.
-- lazy
local function suspended_of(id)
  if call('EXISTS', K.suspending) == 0 then return {} end
  local v = call('HMGET', key('task', id), F.run, F.queue)
  return v[1] and scopes_of({id = id, run = v[1], queue = v[2]}) or {}
end
-- When a timer is, or was, due; false without one.
-- lazy
local function timer_at(item)
  local at = call('ZSCORE', K.timers, item)
  for _, scope in ipairs(at and {} or suspended_of(item:match(':(.*)$'))) do
    at = at or call('ZSCORE', key('suspended', scope), item)
  end
  return at
end
-- lazy
local function set_timer(kind, id, at)
  call('ZADD', K.timers, at, kind .. ':' .. id)
end
-- lazy
local function drop_items(id, items)
  call('ZREM', K.timers, unpack(items))
  for _, scope in ipairs(suspended_of(id)) do call('ZREM', key('suspended', scope), unpack(items)) end
end
-- lazy
local function drop_timer(kind, id)
  drop_items(id, {kind .. ':' .. id})
end
-- lazy
local function drop_timers(id)
  local items = timers_of(id)
  items[#items + 1] = 'resume:task:' .. id
  drop_items(id, items)
end
-- A task that feels a scope no more: its suspended timers run again, or are suspended under what it feels now.
local function leave_scope(id, scope)
  for _, item in ipairs(call('EXISTS', K.suspending) == 1 and timers_of(id) or {}) do
    local at = call('ZSCORE', key('suspended', scope), item)
    if at then
      call('ZADD', K.timers, at, item)
      call('ZREM', key('suspended', scope), item)
    end
  end
end

-- Clocks that only some tasks have, in their field clk: exp (ms: expires_at) and, in ms, qt, hb and tt (queue,
-- heartbeat and total timeout). A task without that field pays nothing for them.
-- lazy
local function clock_of(m, name)
  return m.clk and tonumber(m.clk:match(name .. '=(%d+)'))
end
-- A length of time stands still while its task is paused: by how much it grew since the last look, in ms. Fields: qb
-- and tb, how long the task had been paused by then.
-- lazy
local function grown(m, field)
  local paused, before = paused_ms(m), tonumber(call('HGET', key('task', m.id), field) or 0)
  if paused ~= before then call('HSET', key('task', m.id), field, paused) end
  return math.max(0, paused - before)
end
-- READY: a worker must take it in time.
-- lazy
local function clock_queue(m)
  local ms = clock_of(m, 'qt')
  if not ms then return end
  grown(m, F.queue_paused)
  set_timer('queue', m.id, now + ms)
end
-- lazy
local function total_end(m)
  local ends = tonumber(call('HGET', key('task', m.id), F.total_end) or 0)
  local more = grown(m, F.total_paused)
  if ends == 0 or more == 0 then return ends end
  drop_timer('total', m.id)
  set_timer('total', m.id, ends + more)
  call('HSET', key('task', m.id), F.total_end, ends + more)
  return ends + more
end
-- RUNNING: it did not expire and was taken in time; all attempts together have theirs from the first one on, this one
-- must be heard. When this attempt is over at the latest.
-- lazy
local function clock_start(m, eid, deadline)
  drop_items(m.id, {'expire:' .. m.id, 'queue:' .. m.id})
  local silent, total = clock_of(m, 'hb'), clock_of(m, 'tt')
  if silent then call('HSET', key('exec', eid), F.exec.heartbeat, silent, F.exec.silent_until, now + silent) end
  if not total then return deadline end
  local ends = total_end(m)
  if ends == 0 then
    ends = now + total
    set_timer('total', m.id, ends)
    call('HSET', key('task', m.id), F.total_end, ends)
  end
  return math.min(deadline, ends)
end
-- Whether another attempt in `delay` ms comes too late; why, for people.
-- lazy
local function too_late(m, delay)
  local total = clock_of(m, 'tt')
  local ends = total and total_end(m)
  if not ends or now + delay < ends then return nil end
  return '; no further attempt: its total_timeout of ' .. total / 1000 .. ' s ends before'
end
-- Opened again: with a fresh total, and what had expired does not expire again.
local function renew_clocks(m)
  call('HDEL', key('task', m.id), F.total_end)
  local expires = clock_of(m, 'exp')
  if not expires then return end
  if expires > now then
    if m.att == 0 then set_timer('expire', m.id, expires) end
    return
  end
  m.clk = m.clk:gsub('exp=%d+,?', '')
  if m.clk == '' then
    call('HDEL', key('task', m.id), F.clocks)
  else
    call('HSET', key('task', m.id), F.clocks, m.clk)
  end
end

-- Other clocks for a stored task: what counts already counts anew, from where it began.
local function change_timer(kind, m, at)
  if m.st == T.PAUSED then return change_left(m, kind, at) end
  drop_timer(kind, m.id)
  if at then set_timer(kind, m.id, at) end
end
-- Its latest start counts for a total_timeout that it did not have before.
local function change_total(m, before, total)
  local v = call('HMGET', key('task', m.id), F.total_end, F.started, F.timeout)
  if not v[2] then return end
  local began = v[1] and v[1] - before or tonumber(v[2])
  local ends = total and began + total
  change_timer('total', m, ends)
  if ends then call('HSET', key('task', m.id), F.total_end, ends) else call('HDEL', key('task', m.id), F.total_end) end
  if m.st == T.RUNNING then
    local own = v[2] + (v[3] or C.timeout_ms)
    call('HSET', key('exec', execution_id(m.id, m.att)), F.exec.deadline, ends and math.min(own, ends) or own)
    call('ZADD', K.overdue, 'XX', ends and math.min(own, ends) or own, execution_id(m.id, m.att))
  end
end
local function change_clocks(m, words)
  if words == (m.clk or '') then return end
  local expires, queue, total = clock_of(m, 'exp'), clock_of(m, 'qt'), clock_of(m, 'tt')
  m.clk = words ~= '' and words
  if clock_of(m, 'exp') and clock_of(m, 'exp') <= now then m.clk = m.clk:gsub('exp=%d+,?', '') end
  if m.clk == '' then m.clk = false end
  if m.clk then call('HSET', key('task', m.id), F.clocks, m.clk) else call('HDEL', key('task', m.id), F.clocks) end
  local begun = m.att > (m.granted and 1 or 0)
  if clock_of(m, 'exp') ~= expires and not begun then change_timer('expire', m, clock_of(m, 'exp')) end
  if clock_of(m, 'qt') ~= queue and m.st == T.READY then
    local ready = call('HGET', key('task', m.id), F.ready)
    change_timer('queue', m, clock_of(m, 'qt') and ready + clock_of(m, 'qt'))
  end
  if clock_of(m, 'tt') ~= total then change_total(m, total, clock_of(m, 'tt')) end
end

-- A timer that came due under a pause is suspended until the pause ends. Then a moment (a time to start, to expire, of
-- a next attempt, of a step) is over; a length of time (queue, total, step, limit) grows by it.
local GROWS = {queue = F.queue_paused, total = F.total_paused, step = F.step_paused,
  limit = F.limit_paused}
local function suspend_timer(item, scope)
  call('ZADD', key('suspended', scope), call('ZSCORE', K.timers, item), item)
  call('SADD', K.suspending, scope)
  call('ZREM', K.timers, item)
end
-- What a timer still has to run, in ms; nil without one.
-- lazy
local function time_left(item, m)
  local at, field = timer_at(item), GROWS[item:match('^%w+')]
  if not at then return nil end
  local before = field and tonumber(call('HGET', key('task', m.id), field) or 0)
  return at - now + (field and math.max(0, paused_ms(m) - before) or 0)
end

-- Deadlines stand in scores, in whole seconds. Open tasks that have one are looked at from time to time, until they are
-- over or at risk; whoever has none pays nothing.
local function deadline_of(score)
  local seconds = math.floor(tonumber(score) / 262144) % 4294967296
  return seconds < 4294967295 and seconds
end
local function watch_deadline(id, score)
  if deadline_of(score) then call('ZADD', K.deadlines, now, id) end
end
-- A deadline that is new, or gone: what was said of the old one is no longer so.
local function change_deadline(id, old, new)
  if deadline_of(old) == deadline_of(new) then return end
  call('HDEL', key('task', id), F.at_risk)
  call('ZREM', K.deadlines, id)
  watch_deadline(id, new)
end
