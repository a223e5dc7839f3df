-- RUNNING without a result: lost, handed back, timed out or ended after a cancel.
-- fields: reason, status, ready, lost, error_kind, error, node.draining, exec.started, exec.error, exec.pid
-- fields: exec.ended
-- uses: clock, event, task, ready, finish, execution, clocks, halt
local function cancelled_task(m)
  finish(m, T.CANCELLED, m.cq, F.reason, m.cq)
end
local function run_again(m, what, note)
  emit(m.run, what, m.id, note)
  local story = asked_to_halt(m)
  if story then return halt(m, story, stop_timers(m)) end
  move(m, T.READY)
  call('HSET', key('task', m.id), F.status, T.READY, F.ready, now)
  if m.clk then clock_queue(m) end
  enqueue(m)
  emit(m.run, 'ready', m.id)
end
-- The process that had it, as its slot noted: whoever looks for what killed it wants to know which one died.
local function pid_of(e)
  local held = call('HGET', key('slots', e.node), e.slot) or ''
  return (' ' .. held_ids(held) .. ' '):find(' ' .. e.id .. ' ', 1, true) and held:match('^[^|]*|[^|]*|([^|]*)|') or ''
end
-- A node that drained had said that it goes. Killed before it could hand back (a container gets ten seconds) it says
-- nothing against its tasks. A child that dies meanwhile does: its parent lives to tell.
local function is_blameless(node)
  return call('HEXISTS', key('node', node), F.node.draining) == 1
end
-- What the task became by it. counts: whether it is one of the losses that make a dead letter. died: ms, where its
-- process was seen to die.
local function lose(e, why, counts, died)
  local m = load(e.task)
  local note = m.att .. ' ' .. e.node .. ': ' .. why
  local ended = died and math.max(died, tonumber(call('HGET', key('exec', e.id), F.exec.started) or 0)) or now
  end_execution(e, E.LOST, F.exec.error, why, F.exec.pid, pid_of(e), F.exec.ended, ended)
  local lost = call('HINCRBY', key('task', m.id), F.lost, counts and 1 or 0)
  if m.cq then
    emit(m.run, 'lost', m.id, note)
    cancelled_task(m)
  elseif counts and lost >= C.max_lost then
    emit(m.run, 'lost', m.id, note)
    call('ZADD', K.dead, now, m.id)
    finish(m, T.FAILED, 'poison', F.error_kind, 'poison', F.error,
      'lost its worker ' .. lost .. ' times, last on ' .. e.node
      .. ' (' .. why .. ')')
  else
    run_again(m, 'lost', note)
  end
  return m.st
end
-- All that a slot holds is LOST, and the slot free; the executions, with what their tasks became. Of several none
-- counts, for nobody knows at which of them the worker died: a second attempt goes alone, so what kills its worker again
-- is known.
local function lose_slot(node, slot, why, node_is_gone, died)
  local all = held_by(node, slot)
  local counts = #all == 1 and not (node_is_gone and is_blameless(node))
  if #all > 1 then why = why .. '; it was one of ' .. #all .. ' in hand' end
  for _, e in ipairs(all) do e.became, e.why = lose(e, why, counts, died), why end
  free_slot(node, slot)
  return all
end
