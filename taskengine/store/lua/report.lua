-- Ends an execution with its outcome, tells its dependents, and gives the slot its next task in the same trip.
-- args: execution, token, node, slot, verdict, output, error, kind, retry_ms, usage, agent, big, lanes, message, pid, deadline, trace ..., envelope
-- returns: {'ok', told or '', became or nil} | {'overdue'} | {'fenced', status of the execution, became or nil} | {'missing'}
-- events: completed | failed | cancelled | retrying | paused | fenced, started, ready
-- uses: pull, execution, finish, grant, retry, back_off
-- plain: parse_lanes, load_execution, load_ending, finish, move, set_code, emit, release, piece, continue_releases
-- plain: load, decode, try_ready, make_ready, queue, member, note_new, grant_made, flush_counts, flush_codes
-- plain: refusal, pull, busy, pop_best, load_starting, obstacle, is_any_paused, is_any_run_paused, execution_id, end_execution
-- plain: start, told, inputs
-- plain: open_lanes, first_paused, lane_scope
-- verdict: completed, failed, retry, not_now, agent_not_now (all that the agent would run) or cancelled. lanes is empty
-- when the slot does not go on. deadline: as told at its start; what comes later is refused, and its caller times it
-- out. One that has to be over because of a cancel has the grace of the cancel. trace: a traceback
-- and its last frame, or nothing; only the latest is kept whole.
-- became: the task's status by it, unless it COMPLETED; of a fenced one when it was LOST.
local e = load_execution(ARGV[1])
if not e then return {'missing'} end
local verdict, output, node, slot = ARGV[5], ARGV[6], ARGV[3], ARGV[4]
local lanes, agents = parse_lanes(ARGV[13])
if e.st ~= E.RUNNING or e.att ~= tonumber(ARGV[2]) or e.slot ~= slot then
  local accepted = e.st == E.COMPLETED or e.st == E.FAILED or call('HGET', key('exec', e.id), 'rep')
  if accepted and e.att == tonumber(ARGV[2]) then
    local next_one = held_by(node, slot)
    return {'ok', next_one and told_again(next_one) or '', e.st ~= E.COMPLETED and call('HGET', key('task', e.task), 'st') or nil}
  end
  local new = call('HSET', key('exec', e.id), 'late', verdict, 'late_out', output, 'late_err', ARGV[7]) > 0
  local m = new and load(e.task)
  if m then emit(m.run, 'fenced', e.task, e.att .. ' ' .. node .. ' ' .. verdict) end
  return {'fenced', e.st, e.st == E.LOST and m and m.st or nil}
end
local m = load_ending(e.task)
local told_deadline = tonumber(ARGV[16])
if told_deadline and now >= told_deadline and not m.cq and now >= tonumber(call('HGET', key('exec', e.id), 'dl')) then
  call('HSET', key('exec', e.id), 'late', verdict, 'late_out', output, 'late_err', ARGV[7])
  return {'overdue'}
end
if ARGV[12] ~= '' then call('PERSIST', key('payload', e.id)) end
local fields = {'ag', ARGV[11]}
local function keep(name, value)
  if value ~= '' then
    fields[#fields + 1] = name
    fields[#fields + 1] = value
  end
end
keep('out', output) keep('err', ARGV[7]) keep('knd', ARGV[8]) keep('use', ARGV[10]) keep('big', ARGV[12])
if #ARGV > 17 then
  local before = call('HGET', key('task', m.id), 'tba')
  if before then call('HDEL', key('exec', execution_id(m.id, before)), 'tb') end
  call('HSET', key('task', m.id), 'tba', m.att)
  keep('tb', ARGV[17]) keep('tbl', ARGV[18])
end
local ended
if m.cq then
  ended = E.CANCELLED
  keep('rep', 1)
  finish(m, T.CANCELLED, m.cq, 'rsn', m.cq)
elseif verdict == 'completed' then
  ended = E.COMPLETED
  if #output > LARGE then finish(m, T.COMPLETED, '', 'lo', #output) else finish(m, T.COMPLETED) end
elseif verdict == 'retry' then
  ended = E.FAILED
  retry_later(m, tonumber(ARGV[9]), ARGV[7], ARGV[8])
elseif verdict == 'not_now' or verdict == 'agent_not_now' then
  ended = E.FAILED
  if verdict == 'agent_not_now' then back_off(ARGV[11], now + tonumber(ARGV[9]), ARGV[7]) end
  not_now(m, tonumber(ARGV[9]), ARGV[7])
else
  ended = E.FAILED
  finish(m, T.FAILED, ARGV[8], 'err', ARGV[7], 'knd', ARGV[8])
end
local became = m.st ~= T.COMPLETED and m.st or nil
continue_releases()
local n = #lanes > 0 and not refusal(node) and pull(lanes, agents)
if not n then
  end_execution(e, ended, false, unpack(fields))
  note_lanes_of(node)
  grant_made()
  return {'ok', '', became}
end
n.att = n.att + 1
local eid = execution_id(n.id, n.att)
end_execution(e, ended, true, unpack(fields))  -- before the next one is told its inputs: this may be one of them
local reply = start(n, eid, node, slot, ARGV[14], ARGV[15], agents[n.lane], true)
grant_made()
return {'ok', reply, became}
