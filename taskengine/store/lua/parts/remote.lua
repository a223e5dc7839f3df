-- Slotless executions: their work goes on at a service, and a poller asks for it.
-- fields: reference, exec.node, exec.agent, exec.status, exec.reported, exec.reference, exec.cancel, exec.deadline
-- fields: exec.silent_until, exec.error_kind, exec.task, exec.heartbeat

-- Node '~', which never beats, holds each in a slot of its own id. So they are RUNNING and held as any other, and
-- whatever ends an execution ends these too, without asking what it is. Nobody leases them: a dead worker or poller
-- loses none. (Rejected: a status of their own. Every reader of RUNNING would have to learn it.)

-- When somebody must look at it: its grace is over once its cancel was asked, else its time, or its silence.
-- lazy
local function look_at(eid)
  local v = call('HMGET', key('exec', eid), F.exec.deadline, F.exec.silent_until, F.exec.cancel)
  if v[3] then return v[3] + C.grace_ms end
  return math.min(tonumber(v[1]), tonumber(v[2] or v[1]))
end
-- One that may not be silent for long is asked about three times in that while.
-- lazy
local function poll_in(eid, agent, ms)
  local silent = tonumber(call('HGET', key('exec', eid), F.exec.heartbeat) or ms * 3)
  call('ZADD', key('remote', agent), now + math.min(tonumber(ms), math.floor(silent / 3)), eid)
  call('ZADD', K.overdue, look_at(eid), eid)
end
-- Off its slot: over, by whatever. What ended it without its service having said so goes on there for nobody, and the
-- next attempt begins anew. One that asked a person waits there for the answer.
-- lazy
local function leave_service(eid)
  local v = call('HMGET', key('exec', eid), F.exec.agent, F.exec.status, F.exec.reported, F.exec.reference,
    F.exec.error_kind, F.exec.task)
  call('HDEL', key('slots', '~'), eid)
  call('ZREM', key('remote', v[1]), eid)
  call('ZREM', K.overdue, eid)
  if v[2] == E.COMPLETED or v[2] == E.FAILED or v[3] or v[5] == 'asked' or not v[4] then return end
  call('HSET', key('orphans', v[1]), eid, v[4])
  call('HDEL', key('task', v[6]), F.reference)
end
-- Of a task that is closed while it waits for its next attempt, such as one that asks: what an earlier one left at a service
-- goes on for nobody. Only a poller can end it there.
-- lazy
local function leave_orphan(m)
  local reference, eid = call('HGET', key('task', m.id), F.reference), execution_id(m.id, m.att)
  local agent = reference and call('HGET', key('exec', eid), F.exec.agent)
  if not agent or call('HEXISTS', K.pollers, agent) == 0 then return end
  call('HSET', key('orphans', agent), eid, reference)
  call('HDEL', key('task', m.id), F.reference)
end
-- Asks whoever runs it to end it. A worker hears it with a beat, a poller when it is due: now.
local function ask_to_cancel(eid)
  call('HSET', key('exec', eid), F.exec.cancel, now)
  local v = call('HMGET', key('exec', eid), F.exec.node, F.exec.agent)
  if v[1] == '~' then poll_in(eid, v[2], 0) end
end
-- A slotless execution that runs and has this token, or nil and the word that says why not.
local function load_detached(eid, token)
  local e = load_execution(eid)
  if not e then return nil, 'missing' end
  if e.st ~= E.RUNNING or e.att ~= tonumber(token) or e.node ~= '~' then return nil, e.st end
  return e
end
