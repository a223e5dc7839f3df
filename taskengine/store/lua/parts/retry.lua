-- The next attempt waits in the coordinator's timers: no slot, no Celery ETA.
-- uses: clock, event, task, finish
local function attempt_later(m, delay, err, kind, note)
  move(m, T.RETRYING)
  call('HSET', key('task', m.id), 'st', T.RETRYING, 'due', now + delay, 'err', err, 'knd', kind)
  call('ZADD', K.timers, now + delay, 'retry:' .. m.id)
  emit(m.run, 'retrying', m.id, m.att .. ' ' .. delay .. note)
end
local function retry_later(m, delay, err, kind)
  call('HINCRBY', key('task', m.id), 'rt', 1)
  attempt_later(m, delay, err, kind, '')
end
-- No retry is spent, so only their number keeps an agent that never can from asking for ever.
local function not_now(m, delay, err)
  local times = call('HINCRBY', key('task', m.id), 'nn', 1)
  if times <= C.max_not_now then return attempt_later(m, delay, err, 'not_now', ' not_now') end
  finish(m, T.FAILED, 'not_now', 'err', 'its agent said not now ' .. times .. ' times, last because of: ' .. err, 'knd', 'not_now')
end
