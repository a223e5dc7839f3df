-- Runs and graphs: how they are opened, closed and named, and how their tasks end.
-- fields: run.finished, run.open, status, finished, failed, path, frame, item_suffix, planned, next_item
-- fields: frame.workflow, windowed, waiting, pause, pause_asked, timers_left, graph.sha, graph.run, run.created, run.pruned
-- fields: run.name, run.created_by, run.total

-- Any status -> COMPLETED, FAILED or CANCELLED: history, counts, whoever waits, and the dependents.
-- lazy
local function close_run(run)
  call('HSET', key('run', run), F.run.finished, now)
  call('ZADD', K.finished, now, run)
  emit(run, 'run_finished', '-')
end
-- Run -> tasks of it that ended in this script: a report may end several.
local run_ends = {}
-- at end
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
-- Lets the next item of a map start, if there is one that is put and waits for nothing else.
-- lazy
local function open_window(id)
  local v = call('HMGET', key('task', id), F.path, F.frame, F.item_suffix, F.planned)
  local at = call('HINCRBY', key('task', id), F.next_item, 1) - 1
  if at >= tonumber(v[4]) then return end
  local frame = v[2] or id
  local workflow = call('HGET', key('frame', frame), F.frame.workflow)
  local item = execution_id(workflow, (v[1] or '') .. '[' .. at .. ']' .. (v[3] or ''))
  if call('HDEL', key('task', item), F.windowed) == 0 then return end
  call('HINCRBY', key('task', item), F.waiting, -1)
  try_ready(load(item), id)
end
-- Gates that opened by it complete in the same script, and windows open: one after the other, whatever their nesting.
local function drain_gates()
  while gates[1] or windows[1] do
    if windows[1] then open_window(table.remove(windows)) else end_task(table.remove(gates), T.COMPLETED, '') end
  end
end
local function finish(m, to, note, ...)
  end_task(m, to, note, ...)
  drain_gates()
end

-- Ends a task that does not run, wherever it waits.
local function close_task(m, to, note, ...)
  if m.granted then drop_grant(m) elseif m.st == T.READY then leave_ready(m) end
  -- The timers of clk are dropped by finish; nobody else has one.
  if m.due or m.st == T.PAUSED then drop_timers(m.id) end
  if m.st == T.PAUSED then
    call('HDEL', key('task', m.id), F.pause, F.timers_left, F.pause_asked)
    forget_question(m)
  end
  if m.att > 0 then leave_orphan(m) end
  finish(m, to, note, ...)
  if not is_step(m) then note_queue(m.queue) end
end

-- Whole graphs that an idempotency key names: as long as their run is whole, or as long as keys count.
local function named_graph(name)
  local v = call('HMGET', key('graph', name), F.graph.sha, F.graph.run)
  if not v[1] then return nil end
  local r = call('HMGET', key('run', v[2]), F.run.created, F.run.pruned)
  if r[1] and not r[2] then return {sha = v[1], run = v[2]} end
end
local function name_graph(name, sha, run, batch)
  call('HSET', key('graph', name), F.graph.sha, sha, F.graph.run, run)
  call('RENAME', key('order', batch), key('order', name))
  for _, kept in ipairs({key('graph', name), key('order', name)}) do
    if C.key_ms > 0 then call('PEXPIRE', kept, C.key_ms) else call('PERSIST', kept) end
  end
  call('RPUSH', key('named', run), name)
end
-- With a run that goes; whether none are left of it.
local function forget_graphs(run)
  local names = call('LRANGE', key('named', run), 0, 63)
  for _, name in ipairs(names) do
    -- Its time may have been over, and somebody else's graph has it now.
    if call('HGET', key('graph', name), F.graph.run) == run then
      call('UNLINK', key('graph', name), key('order', name))
    end
  end
  call('LTRIM', key('named', run), 64, -1)
  return #names < 64
end
-- Several tasks, or a name, make a run one of the graphs, by the moment of its first task. Its first name stays.
local function list_graph(run, name, by)
  if name ~= '' then call('HSETNX', key('run', run), F.run.name, name) end
  if by ~= '' then call('HSET', key('run', run), F.run.created_by, by) end
  call('ZADD', K.graphs, 'NX', call('HGET', key('run', run), F.run.created), run)
end
-- name, by: of a graph, or ''. A lone task's run is in no list, and pays nothing for there being one. tasks: how many
-- of the n are tasks, nil = all; steps of a workflow keep a run open and stand in no count.
local function open_run(run, n, name, by, tasks)
  local is_new = call('HSETNX', key('run', run), F.run.created, now) == 1
  if is_new then call('ZADD', K.runs, now, run) end
  local total = call('HINCRBY', key('run', run), F.run.total, n)
  if n > 0 and (name ~= '' or (total > 1 and total - n < 2)) then list_graph(run, name, is_new and by or '') end
  call('HINCRBY', key('run', run), F.run.open, n)
  if call('ZREM', K.finished, run) == 1 then call('HDEL', key('run', run), F.run.finished) end
  call('HINCRBY', K.counts, T.PENDING, tasks or n)
end
