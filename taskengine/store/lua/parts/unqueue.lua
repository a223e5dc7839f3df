-- Takes a READY task out of where it waits: a grant is deleted with its execution, which never ran.
-- fields: attempts, granted, parked, status
-- uses: clock, event, task, timers
local function drop_grant(m)
  call('DEL', key('exec', m.granted))
  call('ZREM', K.granted_all, m.granted)
  call('SREM', key('granted', m.lane), m.granted)
  call('HSET', key('task', m.id), F.attempts, m.att - 1)
  call('HDEL', key('task', m.id), F.granted)
  m.att = m.att - 1
  m.granted = false
end
local function leave_ready(m)
  if m.park then
    call('ZREM', key('park', m.park), member(m))
    call('HDEL', key('task', m.id), F.parked)
  else
    call('ZREM', key('ready', m.lane), member(m))
  end
end
-- READY -> PENDING: out of its place already, it has something to wait for again.
local function wait_again(m)
  move(m, T.PENDING)
  call('HSET', key('task', m.id), F.status, T.PENDING)
  if m.clk then drop_timer('queue', m.id) end
  emit(m.run, 'pending', m.id)
end
