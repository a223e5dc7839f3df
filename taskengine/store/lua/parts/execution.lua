-- Executions: their ids, their start, their end, and what a worker is told.
-- uses: clock, event, task
-- The id is a function of task and attempt, so no verb needs randomness and a repeat names the same execution.
local function execution_id(task, attempt)
  local s = redis.sha1hex(task .. ':' .. attempt)
  return s:sub(1, 8) .. '-' .. s:sub(9, 12) .. '-5' .. s:sub(14, 16) .. '-a' .. s:sub(18, 20) .. '-' .. s:sub(21, 32)
end
local function drop_grant(m)
  call('DEL', key('exec', m.granted))
  call('ZREM', K.granted_all, m.granted)
  call('SREM', key('granted', m.lane), m.granted)
  call('HSET', key('task', m.id), 'att', m.att - 1)
  call('HDEL', key('task', m.id), 'g')
  m.att = m.att - 1
  m.granted = false
end
-- Outputs of dependencies travel along up to 64 KiB and 64 of them; of the rest only the ids.
local function inputs(on)
  local found, bytes, n = {}, 0, 0
  for d in (on or ''):gmatch('%S+') do
    n = n + 1
    if n > 64 then return found, 1 end
    local v = call('HMGET', key('task', d), 'nm', 'st', 'att')
    local out = false
    if v[2] == T.COMPLETED then
      local eid = execution_id(d, v[3])
      local size = call('HSTRLEN', key('exec', eid), 'out')
      if size > 0 and bytes + size <= 65536 then
        out = call('HGET', key('exec', eid), 'out')
        bytes = bytes + size
      end
    end
    found[n] = {d, v[1] or '', out}
  end
  return found, 0
end
local function told(m, eid, deadline)
  local found, more = inputs(m.on)
  return {eid, m.id, m.att, deadline, m.run, m.name, m.doc, m.retries or 0, m.big or '', found, more, m.lane}
end
-- m: a task loaded whole, its attempt counted.
local function start(m, eid, node, slot, msg, pid, agent)
  local deadline = now + (m.timeout or C.timeout_ms)
  move(m, T.RUNNING)
  call('HSET', key('task', m.id), 'st', T.RUNNING, 'att', m.att, 'sta', now)
  call('HSET', key('exec', eid), 'task', m.id, 'att', m.att, 'st', E.RUNNING, 'node', node, 'slot', slot, 'ag', agent,
    's', now, 'dl', deadline)
  call('ZADD', K.leases, now + C.lease_ms, eid)
  call('HSET', key('slots', node), slot, eid .. '|' .. msg .. '|' .. pid .. '|0')
  emit(m.run, 'started', m.id, m.att .. ' ' .. node)
  return told(m, eid, deadline)
end
-- The same answer again, for a repeated question.
local function told_again(e)
  return told(load_whole(e.task), e.id, tonumber(e.deadline))
end
local function load_execution(eid)
  local v = call('HMGET', key('exec', eid), 'task', 'st', 'att', 'node', 'slot', 'rep', 'next', 'dl')
  if not v[1] then return nil end
  return {id = eid, task = v[1], st = v[2], att = tonumber(v[3]), node = v[4], slot = v[5], reported = v[6],
    next = v[7], deadline = v[8]}
end
-- RUNNING -> over: the lease is gone, and the slot is free unless it goes on at once.
local function end_execution(e, to, goes_on, ...)
  call('HSET', key('exec', e.id), 'st', to, 'e', now, ...)
  call('ZREM', K.leases, e.id)
  if goes_on then return end
  local held = call('HGET', key('slots', e.node), e.slot)
  if held and held:sub(1, #e.id) == e.id then call('HDEL', key('slots', e.node), e.slot) end
end
