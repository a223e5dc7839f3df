-- The next attempt waits in the coordinator's timers: no slot, no Celery ETA.
-- fields: error, error_kind, status, due, retries, not_now
-- uses: clock, event, task, finish, clocks, timers, halt
-- Whether it waits; else it is over: what its total_timeout leaves no time for is not waited for.
local function attempt_later(m, delay, err, kind, note)
  local late = m.clk and too_late(m, delay)
  if late then
    finish(m, T.FAILED, kind, F.error, err .. late, F.error_kind, kind)
    return false
  end
  local story = asked_to_halt(m)
  if story then
    call('HSET', key('task', m.id), F.error, err, F.error_kind, kind)
    halt(m, story, ('retry:' .. delay .. ' ' .. stop_timers(m)))
    return true
  end
  move(m, T.RETRYING)
  call('HSET', key('task', m.id), F.status, T.RETRYING, F.due, now + delay, F.error, err, F.error_kind, kind)
  set_timer('retry', m.id, now + delay)
  emit(m.run, 'retrying', m.id, m.att .. ' ' .. delay .. note)
  return true
end
local function retry_later(m, delay, err, kind)
  if attempt_later(m, delay, err, kind, '') then call('HINCRBY', key('task', m.id), F.retries, 1) end
end
-- No retry is spent, so only their number keeps an agent that never can from asking for ever.
local function not_now(m, delay, err)
  local times = call('HINCRBY', key('task', m.id), F.not_now, 1)
  if times <= C.max_not_now then return attempt_later(m, delay, err, 'not_now', ' not_now') end
  finish(m, T.FAILED, 'not_now', F.error, 'its agent said not now ' .. times .. ' times, last because of: ' .. err,
    F.error_kind, 'not_now')
end
