-- Ends executions of one slot with their outcomes, tells their dependents, and gives the slot its next ones in the same trip.
-- args: node, slot, lanes, message, pid, kind, each_us, most, outcome ..., envelope
-- returns: {'ok', {'ok' | 'overdue' | 'missing' | status of an execution that is not this slot's any more ...}, {became ...}, {told ...}}
-- events: completed | failed | cancelled | retrying | paused | fenced, started, ready
-- uses: pull, execution, finish, grant, retry, back_off
-- plain: parse_lanes, load_ending, finish, move, set_code, emit, release, piece, continue_releases, held_ids
-- plain: end_task, drain_gates, is_step, is_unseen, load, decode, try_ready, make_ready, queue, member, note_new, grant_made, flush_counts, flush_codes, flush_runs
-- plain: refusal, pull_next, pull_one, pull_batch, gather, share, cost_of, is_alone, hand_over, queue_fresh, is_before
-- plain: busy, pop_best, load_starting, obstacle, is_any_paused, is_any_run_paused, execution_id, start, occupy, told, inputs
-- plain: open_lanes, first_paused, lane_scope
-- outcome: 13 words: task, token, verdict, output, error, kind, retry_ms, usage, agent, big, deadline, trace, last_frame.
-- verdict: completed, failed, retry, not_now, agent_not_now (all that the agent would run) or cancelled. deadline: as told
-- at its start; what comes later is refused, and its caller times it out. One that has to be over because of a cancel has
-- the grace of the cancel. trace: a traceback, with its last frame, or ''; of a task only the latest is kept whole.
-- became: the task's status by it, '' when it COMPLETED; of one that this slot lost, when it was LOST.
-- lanes is empty when the slot does not go on.
-- kind, each_us, most: what the slot ran last, how long one took, and how many it would take at once.
-- An outcome counts when its slot holds that attempt; another one changes nothing, and nothing beside it.
local node, slot = ARGV[1], ARGV[2]
local lanes, agents = parse_lanes(ARGV[3])
local held = ' ' .. held_ids(call('HGET', key('slots', node), slot)) .. ' '
local repeats, ended = false, 0
if #lanes > 0 then fresh = {} end
local function accept(m, eid, verdict, output, err, kind, retry_ms, usage, agent, big, trace, last_frame)
  if big ~= '' then call('PERSIST', key('payload', eid)) end
  local fields = {'st', E.FAILED, 'e', now, 'ag', agent}
  local function keep(name, value)
    if value ~= '' then
      fields[#fields + 1] = name
      fields[#fields + 1] = value
    end
  end
  keep('out', output) keep('err', err) keep('knd', kind) keep('use', usage) keep('big', big)
  if trace ~= '' then
    local before = call('HGET', key('task', m.id), 'tba')
    if before then call('HDEL', key('exec', execution_id(m.id, before)), 'tb') end
    call('HSET', key('task', m.id), 'tba', m.att)
    keep('tb', trace) keep('tbl', last_frame)
  end
  if m.cq then
    fields[2] = E.CANCELLED
    keep('rep', 1)
    finish(m, T.CANCELLED, m.cq, 'rsn', m.cq)
  elseif verdict == 'completed' then
    fields[2] = E.COMPLETED
    if #output > LARGE then finish(m, T.COMPLETED, '', 'lo', #output) else finish(m, T.COMPLETED) end
  elseif verdict == 'retry' then
    retry_later(m, tonumber(retry_ms), err, kind)
  elseif verdict == 'not_now' or verdict == 'agent_not_now' then
    if verdict == 'agent_not_now' then back_off(agent, now + tonumber(retry_ms), err) end
    not_now(m, tonumber(retry_ms), err)
  else
    finish(m, T.FAILED, kind, 'err', err, 'knd', kind)
  end
  call('HSET', key('exec', eid), unpack(fields))
end
local function refuse(eid, token, verdict, output, err)
  local e = load_execution(eid)
  if not e then return 'missing' end
  if e.st == E.COMPLETED or e.st == E.FAILED or call('HGET', key('exec', eid), 'rep') then
    repeats = true
    return 'ok', e.st ~= E.COMPLETED and call('HGET', key('task', e.task), 'st') or ''
  end
  local new = call('HSET', key('exec', eid), 'late', verdict, 'late_out', output, 'late_err', err) > 0
  local m = new and load(e.task)
  if m then emit(m.run, 'fenced', e.task, token .. ' ' .. node .. ' ' .. verdict) end
  return e.st, e.st == E.LOST and m and m.st or ''
end
local function is_overdue(m, eid, told_deadline)
  return told_deadline and now >= told_deadline and not m.cq and now >= tonumber(call('HGET', key('exec', eid), 'dl'))
end
local function end_one(task, token, verdict, output, err, kind, retry_ms, usage, agent, big, deadline, trace, last_frame)
  local eid = execution_id(task, token)
  local from, to = held:find(' ' .. eid .. ' ', 1, true)
  local m = from and load_ending(task)
  if not m or m.st ~= T.RUNNING or m.att ~= tonumber(token) then return refuse(eid, token, verdict, output, err) end
  if is_overdue(m, eid, tonumber(deadline)) then
    call('HSET', key('exec', eid), 'late', verdict, 'late_out', output, 'late_err', err)
    return 'overdue'
  end
  held = held:sub(1, from) .. held:sub(to + 1)
  ended = ended + 1
  accept(m, eid, verdict, output, err, kind, retry_ms, usage, agent, big, trace, last_frame)
  return 'ok', m.st ~= T.COMPLETED and m.st or ''
end
local words, became, all_ok = {}, {}, true
for at = 9, #ARGV - 1, 13 do
  local n = #words + 1
  local word, status = end_one(unpack(ARGV, at, at + 12))
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
    took = pull_next(lanes, agents, {kind = ARGV[6], each = tonumber(ARGV[7]), most = tonumber(ARGV[8]), slots = slots})
  elseif fresh then
    queue_fresh(1)
  end
  if ids ~= '' then
    occupy(node, slot, ids, ARGV[4], ARGV[5], true)
  elseif #took == 0 then
    free_slot(node, slot)
    note_lanes_of(node)
  end
end
if repeats then
  grant_made()
  return {'ok', words, became, told_again(held_by(node, slot))}
end
local replies, eids = {}, {}
for i, m in ipairs(took) do
  m.att = m.att + 1
  eids[i] = execution_id(m.id, m.att)
  replies[i] = start(m, eids[i], node, slot, agents[m.lane])
end
if #took > 0 then occupy(node, slot, table.concat(eids, ' '), ARGV[4], ARGV[5], true) end
grant_made()
return {'ok', words, became, replies}
