-- Executions: how they start, end, are lost and tried again, and what a worker is told of them.
-- reply assignment: execution_id, task_id, attempt, deadline_ms, run_id, name, doc, retries, big, inputs, more_inputs, queue, extra
-- fields: name, status, attempts, large_output, started, ready, reason, lost, error_kind, error, due, retries
-- fields: not_now, exec.output, exec.task, exec.attempt, exec.status, exec.node, exec.slot, exec.agent, exec.started
-- fields: exec.deadline, exec.ended, node.draining, exec.error, exec.pid, exec.hold

-- Executions: their ids, their start, their end, and what a worker is told.
-- The id is a function of task and attempt, so no verb needs randomness and a repeat names the same execution.
local function execution_id(task, attempt)
  local s = redis.sha1hex(task .. ':' .. attempt)
  return s:sub(1, 8) .. '-' .. s:sub(9, 12) .. '-5' .. s:sub(14, 16) .. '-a' .. s:sub(18, 20) .. '-' .. s:sub(21, 32)
end
-- Outputs of dependencies travel along up to 64 KiB and 64 of them; of the rest only the ids.
-- A dependency whose output is large says so itself (field lo), so that it is not read in vain. One that has an output
-- and does not bring it has a fourth word.
local LARGE = 4096
local function inputs(on)
  if not on then return {}, 0 end
  local found, room, n = {}, 65536, 0
  for d in on:gmatch('%S+') do
    n = n + 1
    if n > 64 then return found, 1 end
    local v = call('HMGET', key('task', d), F.name, F.status, F.attempts, F.large_output)
    local out = false
    if v[2] == T.COMPLETED and v[3] and room >= tonumber(v[4] or LARGE) then
      out = call('HGET', key('exec', execution_id(d, v[3])), F.exec.output)
      if out then room = room - #out end
    end
    found[n] = (out or v[2] ~= T.COMPLETED) and {d, v[1] or '', out} or {d, v[1] or '', '', 1}
  end
  return found, 0
end
local function assignment(m, eid, deadline)
  local found, more = inputs(m.on)
  return R.assignment{execution_id = eid, task_id = m.id, attempt = m.att, deadline_ms = deadline, run_id = m.run,
    name = m.name, doc = m.doc, retries = m.retries or 0, big = m.big or '', inputs = found, more_inputs = more,
    queue = m.queue, extra = (m.extra or m.demand) and told_extra(m) or nil}
end
-- m: a task loaded as starting, its attempt counted; its slot is taken by `occupy`.
local function start(m, eid, node, slot, agent)
  local deadline = now + (m.timeout or C.timeout_ms)
  if m.clk then deadline = clock_start(m, eid, deadline) end
  move(m, T.RUNNING)
  if m.fresh then
    call('HSET', key('task', m.id), F.status, T.RUNNING, F.attempts, m.att, F.started, now, F.ready, now)
  else
    call('HSET', key('task', m.id), F.status, T.RUNNING, F.attempts, m.att, F.started, now)
  end
  call('HSET', key('exec', eid), F.exec.task, m.id, F.exec.attempt, m.att, F.exec.status, E.RUNNING, F.exec.node,
    node, F.exec.slot, slot, F.exec.agent, agent, F.exec.started, now, F.exec.deadline, deadline)
  if m.demand or is_any_limited() then take(eid, agent, m) end
  emit(m.run, 'started', m.id, m.att .. ' ' .. node)
  return assignment(m, eid, deadline)
end
-- What a slot holds from now on: one execution, or several that it runs one after the other, as words 'id id ...'. The
-- lease is the slot's: one that goes on has it, and its node is alive, or nothing would start on it.
local function occupy(node, slot, ids, msg, pid, goes_on)
  if not goes_on then call('ZADD', K.leases, now + C.lease_ms, node .. '/' .. slot) end
  call('HSET', key('slots', node), slot, ids .. '|' .. msg .. '|' .. pid .. '|0' .. holding)
end
-- The same answer again, for a repeated question.
-- lazy
local function assignments_of(all)
  local found = {}
  for i, e in ipairs(all) do
    found[i] = assignment(load_starting(e.task), e.id, tonumber(call('HGET', key('exec', e.id), F.exec.deadline)))
  end
  return found
end
-- lazy
local function load_execution(eid)
  local v = call('HMGET', key('exec', eid), F.exec.task, F.exec.status, F.exec.attempt, F.exec.node, F.exec.slot,
    F.exec.hold)
  if not v[1] then return nil end
  return {id = eid, task = v[1], st = v[2], att = tonumber(v[3]), node = v[4], slot = v[5], hold = v[6]}
end
local function held_ids(held) return held and held:match('^[^|]*') or '' end
-- What a slot of a node holds now, in the order in which it runs them.
-- lazy
local function held_by(node, slot)
  local found = {}
  for eid in held_ids(call('HGET', key('slots', node), slot)):gmatch('%S+') do
    local e = load_execution(eid)
    if e and e.st == E.RUNNING then found[#found + 1] = e end
  end
  return found
end
-- lazy
local function free_slot(node, slot)
  if node == '~' then return leave_service(slot) end
  call('HDEL', key('slots', node), slot)
  call('SADD', K.free_nodes, node)
  call('ZREM', K.leases, node .. '/' .. slot)
end
-- Its slot goes on with what it holds beside this one; one that holds nothing more is free.
local function leave_slot(e)
  local held = call('HGET', key('slots', e.node), e.slot)
  local ids = ' ' .. held_ids(held) .. ' '
  local from, to = ids:find(' ' .. e.id .. ' ', 1, true)
  if not from then return end
  ids = (ids:sub(1, from) .. ids:sub(to + 1)):match('^ *(.-) *$')
  if ids == '' then return free_slot(e.node, e.slot) end
  call('HSET', key('slots', e.node), e.slot, ids .. held:match('|.*$'))
end
-- RUNNING -> over, and off its slot and its limits.
local function end_execution(e, to, ...)
  call('HSET', key('exec', e.id), F.exec.status, to, F.exec.ended, now, ...)
  if e.hold then e.was_probe = give_back(e.id, e.hold) end
  leave_slot(e)
end

-- RUNNING without a result: lost, handed back, timed out or ended after a cancel.
local function cancelled_task(m)
  finish(m, T.CANCELLED, m.cq, F.reason, m.cq)
end
local function run_again(m, what, note)
  emit(m.run, what, m.id, note)
  local record = asked_to_pause(m)
  if record then return suspend_task(m, record, stop_timers(m)) end
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
local function mark_lost(e, why, counts, died)
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
      'lost its worker ' .. lost .. (lost == 1 and ' time' or ' times') .. ', last on ' .. e.node .. ' (' .. why .. ')')
  else
    run_again(m, 'lost', note)
  end
  return m.st
end
-- All that a slot holds is LOST, and the slot free; the executions, with what their tasks became. Of several none
-- counts, for nobody knows at which of them the worker died: a second attempt goes alone, so what kills its worker
-- again is known.
local function mark_slot_lost(node, slot, why, node_is_gone, died)
  local all = held_by(node, slot)
  local counts = #all == 1 and not (node_is_gone and is_blameless(node))
  if #all > 1 then why = why .. '; it was one of ' .. #all .. ' in hand' end
  for _, e in ipairs(all) do e.became, e.why = mark_lost(e, why, counts, died), why end
  free_slot(node, slot)
  return all
end

-- The next attempt waits in the coordinator's timers: no slot, no Celery ETA.
-- Whether it waits; else it is over: what its total_timeout leaves no time for is not waited for.
-- lazy
local function attempt_later(m, delay, err, kind, note)
  local late = m.clk and too_late(m, delay)
  if late then
    finish(m, T.FAILED, kind, F.error, err .. late, F.error_kind, kind)
    return false
  end
  local record = asked_to_pause(m)
  if record then
    call('HSET', key('task', m.id), F.error, err, F.error_kind, kind)
    suspend_task(m, record, ('retry:' .. delay .. ' ' .. stop_timers(m)))
    return true
  end
  move(m, T.RETRYING)
  call('HSET', key('task', m.id), F.status, T.RETRYING, F.due, now + delay, F.error, err, F.error_kind, kind)
  set_timer('retry', m.id, now + delay)
  emit(m.run, 'retrying', m.id, m.att .. ' ' .. delay .. note)
  return true
end
-- lazy
local function retry_later(m, delay, err, kind)
  if attempt_later(m, delay, err, kind, '') then call('HINCRBY', key('task', m.id), F.retries, 1) end
end
-- No retry is spent, so only their number keeps an agent that never can from asking for ever.
-- lazy
local function not_now(m, delay, err)
  local times = call('HINCRBY', key('task', m.id), F.not_now, 1)
  if times <= C.max_not_now then return attempt_later(m, delay, err, 'not_now', ' not_now') end
  finish(m, T.FAILED, 'not_now', F.error, 'its agent said not now ' .. times .. ' times, last because of: ' .. err,
    F.error_kind, 'not_now')
end
-- Its agent's credential was refused: READY again, at no cost, for whoever may run it. As often as agents may say not
-- now, for the only one that could would ask for ever.
-- lazy
local function leave_to_others(m, err, kind)
  local times = call('HINCRBY', key('task', m.id), F.not_now, 1)
  if times <= C.max_not_now then
    local stored = load(m.id)
    m.queue, m.score = stored.queue, stored.score
    return run_again(m, 'refused', m.att .. ' ' .. kind)
  end
  finish(m, T.FAILED, kind, F.error, err, F.error_kind, kind)
end

-- An agent that can do nothing for a while is paused until then, in its own name.
-- A pause of somebody else keeps its word and its end; one of its own only ever gets longer.
-- lazy
local function back_off(agent, ends, why)
  local scope = 'agent:' .. agent
  local since, text = (call('HGET', K.pauses, scope) or ''):match('^(%d+) (.*)$')
  local terms = since and cjson.decode(text)
  if terms and (terms.kind ~= 'agent' or terms['until'] >= ends) then return end
  local record = cjson.encode({by = 'the agent itself', kind = 'agent', ['until'] = ends, why = why})
  call('HSET', K.pauses, scope, (since or now) .. ' ' .. record)
  call('SADD', K.open_queues, '!')
  call('ZADD', K.timers, ends, 'resume:' .. scope)
  note_control('paused', scope, record)
  stops.paused = true
end
