-- Any status -> COMPLETED, FAILED or CANCELLED: history, counts, whoever waits, and the dependents.
-- uses: clock, event, task, pins, release, timers, counts
local function close_run(run)
  call('HSET', key('run', run), 'fin', now)
  call('ZADD', K.finished, now, run)
  emit(run, 'run_finished', '-')
end
local function finish(m, to, note, ...)
  move(m, to)
  call('HSET', key('task', m.id), 'st', to, 'fin', now, ...)
  emit(m.run, to, m.id, note)
  if m.wt then
    call('XADD', key('done', m.id), '*', 's', to)
    call('EXPIRE', key('done', m.id), 600)
  end
  if m.clk then drop_timers(m.id) end
  if m.xr then tell_parents(m.id, m.run, true, 0) end
  if call('HINCRBY', key('run', m.run), 'open', -1) == 0 then close_run(m.run) end
  release(m.id, m.failed_before and 'f' or HOW[to], 0)
end
