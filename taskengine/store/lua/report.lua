-- Ends executions of one slot with their outcomes, tells their dependents, and gives the slot its next ones in the same trip.
-- args: node, slot, queues, message, pid, kind, each_us, most
-- args: outcomes{task, token, disposition, output, error, kind, retry_ms, usage, agent, big, deadline, trace, last_frame, more, execution}...
-- args: envelope
-- returns: {'ok', {'ok' | 'overdue' | 'missing' | status of an execution that is not this slot's any more ...}, {became ...}, {assignment ...}}
-- events: completed | failed | cancelled | retrying | asked, paused | fenced, started, ready
-- fields: traceback_attempt, reason, large_output, error, error_kind, status, exec.status, exec.ended, exec.agent
-- fields: exec.output, exec.error, exec.error_kind, exec.usage, exec.large_output, exec.traceback, exec.last_frame
-- fields: exec.reported, exec.late_disposition, exec.late_output, exec.late_error, exec.deadline
-- links: lazily
-- disposition: completed, failed, retry, not_now, agent_not_now (all that the agent would run), credential_not_now (all
-- agents that share its limits), ask or cancelled.
-- deadline: as told at its start; what comes later is refused, and its caller times it out. One that has to be over
-- because of a cancel has the grace of the cancel. trace: a traceback, with its last frame, or ''; of a task only the
-- latest is kept whole. more: JSON of what few have, or '': its question is what it asks, spent what it used of a
-- service, used the same as limits count it: 'requests input output' (tokens).
-- execution: the id of this attempt, as it was told at its start, or '': it is worked out anew, which is dearer.
-- became: the task's status by it, '' when it COMPLETED; of one that this slot lost, when it was LOST.
-- queues is empty when the slot does not go on.
-- kind, each_us, most: what the slot ran last, how long one took, and how many it would take at once.
-- An outcome counts when its slot holds that attempt; another one changes nothing, and nothing beside it.
local node, slot = A.node, A.slot
local queues, agents = parse_queues(A.queues)
local noted = call('HGET', key('slots', node), slot) or ''
local held = ' ' .. held_ids(noted) .. ' '
-- Of node '~' slots say nothing.
if noted:sub(-1) == 'h' or node == '~' then holding = 'h' end
local repeats, ended = false, 0
if #queues > 0 then fresh = {} end
local function accept(m, eid, at)
  local disposition, output, err = A.outcomes[at].disposition, A.outcomes[at].output, A.outcomes[at].error
  local kind, retry_ms = A.outcomes[at].kind, A.outcomes[at].retry_ms
  local agent, trace, big = A.outcomes[at].agent, A.outcomes[at].trace, A.outcomes[at].big
  -- Before the slot pulls: an agent with one place would not get its next task.
  local limits_told = holding == 'h' and settle_limits(eid, node, agent, disposition, kind, err, A.outcomes[at].more)
  if big ~= '' then call('PERSIST', key('payload', eid)) end
  local fields = {F.exec.status, E.FAILED, F.exec.ended, now, F.exec.agent, agent}
  local function keep(name, value)
    if value ~= '' then
      fields[#fields + 1] = name
      fields[#fields + 1] = value
    end
  end
  keep(F.exec.output, output) keep(F.exec.error, err) keep(F.exec.error_kind, kind)
  keep(F.exec.usage, A.outcomes[at].usage) keep(F.exec.large_output, big)
  if trace ~= '' then
    local before = call('HGET', key('task', m.id), F.traceback_attempt)
    if before then call('HDEL', key('exec', execution_id(m.id, before)), F.exec.traceback) end
    call('HSET', key('task', m.id), F.traceback_attempt, m.att)
    keep(F.exec.traceback, trace) keep(F.exec.last_frame, A.outcomes[at].last_frame)
  end
  if m.cq then
    fields[2] = E.CANCELLED
    keep(F.exec.reported, 1)
    finish(m, T.CANCELLED, m.cq, F.reason, m.cq)
  elseif disposition == 'completed' then
    fields[2] = E.COMPLETED
    if #output > LARGE then finish(m, T.COMPLETED, '', F.large_output, #output) else finish(m, T.COMPLETED) end
  elseif limits_told and is_refused(agent, kind) then
    leave_to_others(m, err, kind)
  elseif disposition == 'retry' then
    retry_later(m, tonumber(retry_ms), err, kind)
  elseif disposition:sub(-7) == 'not_now' then
    local ends = now + tonumber(retry_ms)
    local is_shared = disposition == 'credential_not_now' and limits_told and pause_limits_of(agent, ends, err)
    if disposition ~= 'not_now' and not is_shared then back_off(agent, ends, err) end
    not_now(m, tonumber(retry_ms), err)
  elseif disposition == 'ask' then
    fields[2] = E.CANCELLED
    keep(F.exec.reported, 1)
    ask_person(m, cjson.decode(A.outcomes[at].more).question, agent)
  else
    finish(m, T.FAILED, kind, F.error, err, F.error_kind, kind)
  end
  if m.extra then drop_kept(m, disposition, kind) end
  call('HSET', key('exec', eid), unpack(fields))
end
local function refuse(eid, at)
  local e = load_execution(eid)
  if not e then return 'missing' end
  if e.st == E.COMPLETED or e.st == E.FAILED or call('HGET', key('exec', eid), F.exec.reported) then
    repeats = true
    return 'ok', e.st ~= E.COMPLETED and call('HGET', key('task', e.task), F.status) or ''
  end
  local token, disposition = A.outcomes[at].token, A.outcomes[at].disposition
  local new = call('HSET', key('exec', eid), F.exec.late_disposition, disposition, F.exec.late_output, A.outcomes[at].output,
    F.exec.late_error, A.outcomes[at].error) > 0
  local m = new and load(e.task)
  if m then emit(m.run, 'fenced', e.task, token .. ' ' .. node .. ' ' .. disposition) end
  return e.st, e.st == E.LOST and m and m.st or ''
end
local function is_overdue(m, eid, told_deadline)
  return told_deadline and now >= told_deadline and not m.cq
    and now >= tonumber(call('HGET', key('exec', eid), F.exec.deadline))
end
local function end_one(at)
  local task, token = A.outcomes[at].task, A.outcomes[at].token
  local eid = A.outcomes[at].execution
  if eid == '' then eid = execution_id(task, token) end
  if A.outcomes[at].more ~= '' then count_spent(eid, task, cjson.decode(A.outcomes[at].more).spent) end
  local from, to = held:find(' ' .. eid .. ' ', 1, true)
  local m = from and load_ending(task)
  if not m or m.st ~= T.RUNNING or m.att ~= tonumber(token) then return refuse(eid, at) end
  if is_overdue(m, eid, tonumber(A.outcomes[at].deadline)) then
    call('HSET', key('exec', eid), F.exec.late_disposition, A.outcomes[at].disposition, F.exec.late_output,
      A.outcomes[at].output, F.exec.late_error, A.outcomes[at].error)
    return 'overdue'
  end
  held = held:sub(1, from) .. held:sub(to + 1)
  ended = ended + 1
  accept(m, eid, at)
  return 'ok', m.st ~= T.COMPLETED and m.st or ''
end
local words, became, all_ok = {}, {}, true
for at = A.outcomes.first, A.outcomes.last, A.outcomes.width do
  local n = #words + 1
  local word, status = end_one(at)
  words[n], became[n] = word, status or ''
  all_ok = all_ok and word == 'ok'
end
continue_releases()
drain_gates()
local ids = held:match('^ *(.-) *$')
local took = {}
if ended > 0 then
  local no, slots
  if fresh then no, slots = refusal(node) end
  if fresh and all_ok and ids == '' and not repeats and not no then
    took = pull_next(queues, agents, {kind = A.kind, each = tonumber(A.each_us), most = tonumber(A.most), slots = slots})
  elseif fresh then
    queue_fresh(1)
  end
  if ids ~= '' then
    occupy(node, slot, ids, A.message, A.pid, true)
  elseif #took == 0 then
    free_slot(node, slot)
    note_queues_of(node)
  end
end
if repeats then
  grant_made()
  return {'ok', words, became, assignments_of(held_by(node, slot))}
end
local replies, eids = {}, {}
for i, m in ipairs(took) do
  m.att = m.att + 1
  eids[i] = execution_id(m.id, m.att)
  replies[i] = start(m, eids[i], node, slot, agents[m.queue])
end
if #took > 0 then occupy(node, slot, table.concat(eids, ' '), A.message, A.pid, true) end
grant_made()
return {'ok', words, became, replies}
