-- A timer that came due under a pause stands there until the pause ends. Then a moment (a time to start, to expire, of a
-- next attempt, of a step) is over; a length of time (queue, total, step) grows by the pause.
-- fields: queue_paused, total_paused, timer_paused
-- uses: clock, task, timers, pause
local GROWS = {queue = F.queue_paused, total = F.total_paused, step = F.timer_paused}
local function stand(item, scope)
  call('ZADD', key('stands', scope), call('ZSCORE', K.timers, item), item)
  call('SADD', K.standing, scope)
  call('ZREM', K.timers, item)
end
-- What a timer still has to run, in ms; nil without one.
local function time_left(item, m)
  local at, field = where_timed(item), GROWS[item:match('^%w+')]
  if not at then return nil end
  local before = field and tonumber(call('HGET', key('task', m.id), field) or 0)
  return at - now + (field and math.max(0, paused_ms(m) - before) or 0)
end
