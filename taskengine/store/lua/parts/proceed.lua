-- PAUSED -> where its waits say, computed anew; its timers get the time that they had left.
-- fields: timers_left, pause, total_end, total_paused, due, status, pause_asked
-- uses: clock, event, task, ready, halt, settle, timers, clocks
local function proceed(m)
  local left, retries = call('HGET', key('task', m.id), F.timers_left), false
  call('HDEL', key('task', m.id), F.pause, F.timers_left)
  end_halt_at(m.id, nil)
  for kind, ms in left:gmatch('(%w+):(%d+)') do
    local due = now + ms
    set_timer(kind, m.id, due)
    if kind == 'total' then
      call('HSET', key('task', m.id), F.total_end, due)
      grown(m, F.total_paused)
    end
    if kind == 'schedule' or kind == 'retry' then
      call('HSET', key('task', m.id), F.due, due)
      m.due = due
    end
    retries = kind == 'retry' and ms or retries
  end
  local to = retries and T.RETRYING or T.PENDING
  move(m, to)
  call('HSET', key('task', m.id), F.status, to)
  if retries then
    emit(m.run, 'retrying', m.id, m.att .. ' ' .. retries .. ' resumed')
  else
    emit(m.run, 'resumed', m.id)
    try_ready(m, '')
  end
end
-- The task behind a pause's end, or behind a client's word; what became of it.
local function resume_task(id)
  local m = find(id)
  if not m then return {'missing'} end
  if m.st == T.PAUSED then
    proceed(m)
    return {'ok', m.st}
  end
  if m.st ~= T.RUNNING or call('HDEL', key('task', m.id), F.pause_asked) == 0 then return {'conflict', m.st} end
  emit(m.run, 'pause_withdrawn', m.id)
  return {'ok', m.st}
end
