-- The next attempt waits in the coordinator's timers: no slot, no Celery ETA.
-- uses: clock, event, task
local function retry_later(m, delay, err, kind)
  move(m, T.RETRYING)
  call('HSET', key('task', m.id), 'st', T.RETRYING, 'due', now + delay, 'err', err, 'knd', kind)
  call('HINCRBY', key('task', m.id), 'rt', 1)
  call('ZADD', K.timers, now + delay, 'retry:' .. m.id)
  emit(m.run, 'retrying', m.id, m.att .. ' ' .. delay)
end
