-- Any status -> COMPLETED, FAILED or CANCELLED: history, counts, whoever waits, and the dependents.
-- fields: status, finished, failed, run.finished, run.open
-- uses: clock, event, task, pins, release, timers, counts
-- finally: flush_runs
local function close_run(run)
  call('HSET', key('run', run), F.run.finished, now)
  call('ZADD', K.finished, now, run)
  emit(run, 'run_finished', '-')
end
-- Run -> tasks of it that ended in this script: a report may end several.
local run_ends = {}
local function flush_runs()
  for run, n in pairs(run_ends) do
    if call('HINCRBY', key('run', run), F.run.open, -n) == 0 then close_run(run) end
  end
end
local function end_task(m, to, note, ...)
  move(m, to)
  call('HSET', key('task', m.id), F.status, to, F.finished, now, ...)
  emit(m.run, is_unseen(m) and 'step_' .. to or to, m.id, note)
  if m.wt then
    call('XADD', key('done', m.id), '*', 's', to)
    call('EXPIRE', key('done', m.id), 600)
  end
  if m.clk then drop_timers(m.id) end
  if m.xr then tell_parents(m.id, m.run, true, 0) end
  run_ends[m.run] = (run_ends[m.run] or 0) + 1
  release(m.id, m.failed_before and F.failed or HOW[to], 0)
end
-- Gates that opened by it complete in the same script: one after the other, whatever their nesting.
local function drain_gates()
  while gates[1] do end_task(table.remove(gates), T.COMPLETED, '') end
end
local function finish(m, to, note, ...)
  end_task(m, to, note, ...)
  drain_gates()
end
