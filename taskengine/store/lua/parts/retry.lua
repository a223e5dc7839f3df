-- The next attempt waits in the coordinator's timers: no slot, no Celery ETA.
-- uses: clock, event, task, finish, clocks, timers, halt
-- Whether it waits; else it is over: what its total_timeout leaves no time for is not waited for.
local function attempt_later(m, delay, err, kind, note)
  local late = m.clk and too_late(m, delay)
  if late then
    finish(m, T.FAILED, kind, 'err', err .. late, 'knd', kind)
    return false
  end
  local story = asked_to_halt(m)
  if story then
    call('HSET', key('task', m.id), 'err', err, 'knd', kind)
    halt(m, story, ('retry:' .. delay .. ' ' .. stop_timers(m)))
    return true
  end
  move(m, T.RETRYING)
  call('HSET', key('task', m.id), 'st', T.RETRYING, 'due', now + delay, 'err', err, 'knd', kind)
  set_timer('retry', m.id, now + delay)
  emit(m.run, 'retrying', m.id, m.att .. ' ' .. delay .. note)
  return true
end
local function retry_later(m, delay, err, kind)
  if attempt_later(m, delay, err, kind, '') then call('HINCRBY', key('task', m.id), 'rt', 1) end
end
-- No retry is spent, so only their number keeps an agent that never can from asking for ever.
local function not_now(m, delay, err)
  local times = call('HINCRBY', key('task', m.id), 'nn', 1)
  if times <= C.max_not_now then return attempt_later(m, delay, err, 'not_now', ' not_now') end
  finish(m, T.FAILED, 'not_now', 'err', 'its agent said not now ' .. times .. ' times, last because of: ' .. err, 'knd', 'not_now')
end
