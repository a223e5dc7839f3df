-- Executions: their ids, their start, their end, and what a worker is told.
-- reply told: execution_id, task_id, attempt, deadline_ms, run_id, name, doc, retries, big, inputs, more_inputs, lane
-- fields: name, status, attempts, large_output, started, ready, exec.output, exec.task, exec.attempt, exec.status
-- fields: exec.node, exec.slot, exec.agent, exec.started, exec.deadline, exec.ended
-- uses: clock, event, task, clocks
-- The id is a function of task and attempt, so no verb needs randomness and a repeat names the same execution.
local function execution_id(task, attempt)
  local s = redis.sha1hex(task .. ':' .. attempt)
  return s:sub(1, 8) .. '-' .. s:sub(9, 12) .. '-5' .. s:sub(14, 16) .. '-a' .. s:sub(18, 20) .. '-' .. s:sub(21, 32)
end
-- Outputs of dependencies travel along up to 64 KiB and 64 of them; of the rest only the ids.
-- A dependency whose output is large says so itself (field lo), so that it is not read in vain.
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
    found[n] = {d, v[1] or '', out}
  end
  return found, 0
end
local function told(m, eid, deadline)
  local found, more = inputs(m.on)
  return R.told{execution_id = eid, task_id = m.id, attempt = m.att, deadline_ms = deadline, run_id = m.run,
    name = m.name, doc = m.doc, retries = m.retries or 0, big = m.big or '', inputs = found, more_inputs = more,
    lane = m.lane}
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
  emit(m.run, 'started', m.id, m.att .. ' ' .. node)
  return told(m, eid, deadline)
end
-- What a slot holds from now on: one execution, or several that it runs one after the other, as words 'id id ...'. The
-- lease is the slot's: one that goes on has it, and its node is alive, or nothing would start on it.
local function occupy(node, slot, ids, msg, pid, goes_on)
  if not goes_on then call('ZADD', K.leases, now + C.lease_ms, node .. '/' .. slot) end
  call('HSET', key('slots', node), slot, ids .. '|' .. msg .. '|' .. pid .. '|0')
end
-- The same answer again, for a repeated question.
local function told_again(all)
  local found = {}
  for i, e in ipairs(all) do
    found[i] = told(load_starting(e.task), e.id, tonumber(call('HGET', key('exec', e.id), F.exec.deadline)))
  end
  return found
end
local function load_execution(eid)
  local v = call('HMGET', key('exec', eid), F.exec.task, F.exec.status, F.exec.attempt, F.exec.node, F.exec.slot)
  if not v[1] then return nil end
  return {id = eid, task = v[1], st = v[2], att = tonumber(v[3]), node = v[4], slot = v[5]}
end
local function held_ids(held) return held and held:match('^[^|]*') or '' end
-- What a slot of a node holds now, in the order in which it runs them.
local function held_by(node, slot)
  local found = {}
  for eid in held_ids(call('HGET', key('slots', node), slot)):gmatch('%S+') do
    local e = load_execution(eid)
    if e and e.st == E.RUNNING then found[#found + 1] = e end
  end
  return found
end
local function free_slot(node, slot)
  call('HDEL', key('slots', node), slot)
  call('SADD', K.free, node)
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
-- RUNNING -> over, and off its slot.
local function end_execution(e, to, ...)
  call('HSET', key('exec', e.id), F.exec.status, to, F.exec.ended, now, ...)
  leave_slot(e)
end
