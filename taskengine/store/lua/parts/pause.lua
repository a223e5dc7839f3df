-- Pauses: of everything, a capability, an agent or a run, and of tasks by name.
-- fields: doc, queue, timers_left, status, pause, pause_asked, question, due, total_end, total_paused

-- A pause is a record by its scope: since when, until when, by whom and what kind, why. Scopes: all, cap:NAME,
-- agent:NAME, run:ID. There are two forms of stop and no third, and what else may stop tasks one day is one scope more
-- of either:
-- A closed queue (all, cap, agent) keeps its tasks and is not looked into, so closing it costs the same however many
-- wait there: it leaves the set of open queues, and whoever looks for work asks that set anyway. Its member '!' says
-- that an agent or everything may be paused, '!run' that a run may be: a fleet without such a pause pays nothing for
-- it.
-- A suspended task (run, and cap where it is pinned) is set aside under its scope as somebody meets it in an open
-- queue, and so are the timers of any paused task as they come due.
-- Whether anything is paused at all, whether there are limits, whether tasks wait for room on a host (short), and
-- whether a run may be paused; nil = not asked.
local stops = {}
local run_paused
-- One command for all, while there is none.
local function look_for_stops()
  local found = call('EXISTS', K.pauses, K.limited, K.room_queues)
  stops.paused, stops.limited, stops.short = found == 3, found == 3, found == 3
  if found == 0 or found == 3 then return end
  stops.paused = call('EXISTS', K.pauses) == 1
  stops.short = found == 2 and not stops.paused or call('EXISTS', K.room_queues) == 1
  stops.limited = found > (stops.paused and 1 or 0) + (stops.short and 1 or 0)
end
-- lazy
local function is_any_short()
  if stops.short == nil then look_for_stops() end
  return stops.short
end
local function is_any_paused()
  if stops.paused == nil then look_for_stops() end
  return stops.paused
end
local function is_any_limited()
  if stops.limited == nil then look_for_stops() end
  return stops.limited
end
local function is_any_run_paused()
  if run_paused == nil then run_paused = call('SISMEMBER', K.open_queues, '!run') == 1 end
  return run_paused
end
-- Whether one of the scopes is paused: the first that is, with its record.
local function first_paused(scopes)
  for i, record in ipairs(call('HMGET', K.pauses, unpack(scopes))) do
    if record then return scopes[i], record end
  end
end
-- Lets slots look into a queue, unless its capability is paused; safe to repeat.
-- lazy
local function open_queue(queue)
  if call('HEXISTS', K.pauses, 'cap:' .. queue) == 0 then call('SADD', K.open_queues, queue) end
end
local function queue_scope(queue)
  if queue:sub(1, 1) == '@' then return 'agent:' .. queue:sub(2) end
  return 'cap:' .. queue
end
-- The queues into which a slot may look; agents: who would run what it finds there.
local function open_queues(queues, agents)
  local scopes = {'all'}
  for _, queue in ipairs(queues) do
    scopes[#scopes + 1] = queue_scope(queue)
    scopes[#scopes + 1] = 'agent:' .. agents[queue]
  end
  local is, found = call('HMGET', K.pauses, unpack(scopes)), {}
  if is[1] then return found end
  for i, queue in ipairs(queues) do
    if not is[2 * i] and not is[2 * i + 1] then found[#found + 1] = queue end
  end
  return found
end
-- The capability stands in a pinned task's document alone; keys are sorted there, and these two come first.
-- lazy
local function capability_of(m)
  if m.queue:sub(1, 1) ~= '@' then return m.queue end
  local doc = m.doc or call('HGET', key('task', m.id), F.doc) or ''
  return doc:match('^{"capability":"([^"]*)"') or doc:match('^{"assigned_to":"[^"]*","capability":"([^"]*)"') or ''
end
-- lazy
local function scopes_of(m)
  m.queue = m.queue or call('HGET', key('task', m.id), F.queue)
  local scopes = {'all', 'run:' .. m.run, 'cap:' .. capability_of(m)}
  if m.queue:sub(1, 1) == '@' then scopes[4] = queue_scope(m.queue) end
  return scopes
end
-- The one question: the first scope that keeps a task from running now, with its record; nil for none.
local function blocked_by(m)
  if not is_any_paused() then return nil end
  return first_paused(scopes_of(m))
end
-- The part of it that a queue answers for all of its tasks.
-- lazy
local function closed_by(queue)
  if not is_any_paused() then return nil end
  return first_paused({'all', queue_scope(queue)})
end
-- The other part: what suspends a task that stands in an open queue.
local function suspended_by(m)
  local is_pinned = m.queue:sub(1, 1) == '@' and is_any_paused()
  if not is_pinned and not is_any_run_paused() then return nil end
  local scopes = {}
  if is_any_run_paused() then scopes[1] = 'run:' .. m.run end
  if is_pinned then scopes[#scopes + 1] = 'cap:' .. capability_of(m) end
  return first_paused(scopes)
end
-- How long the scopes of a task have been paused until now, all their pauses together, in ms. (Where two of them are
-- paused at once, both count.)
-- lazy
local function paused_ms(m)
  local scopes, sum = scopes_of(m), 0
  local ended, reasons = call('HMGET', K.paused_ms, unpack(scopes)), {}
  if is_any_paused() then reasons = call('HMGET', K.pauses, unpack(scopes)) end
  for i in ipairs(scopes) do
    local since = reasons[i] and tonumber(reasons[i]:match('^%d+'))
    sum = sum + (tonumber(ended[i]) or 0) + (since and now - since or 0)
  end
  return sum
end
-- What more than one run should know stands in a stream of its own.
-- lazy
local function note_control(what, scope, note)
  call('XADD', K.control, 'MAXLEN', '~', 10000, '*', 'e', what .. ' ' .. scope .. ' ' .. now .. ' ' .. note)
end
-- Takes the flag away; whether it was there.
local function forget_pause(scope)
  local record = call('HGET', K.pauses, scope)
  if not record then return false end
  call('HDEL', K.pauses, scope)
  call('HINCRBY', K.paused_ms, scope, math.max(0, now - tonumber(record:match('^%d+'))))
  stops.paused = call('EXISTS', K.pauses) == 1
  if not stops.paused then call('SREM', K.open_queues, '!', '!run') end
  local capability = scope:match('^cap:(.*)$')
  if capability and call('SISMEMBER', K.queues, capability) == 1 then open_queue(capability) end
  call('ZREM', K.timers, 'resume:' .. scope)
  return true
end

-- Ends a pause: the record goes, and what was set aside because of it comes back.
-- Timers that came due in the pause run again, as many as this script may still touch.
local function restart_timers(scope)
  if left <= 0 then return end
  local items = call('ZRANGE', key('suspended', scope), 0, left - 1, 'WITHSCORES')
  for i = 1, #items, 2 do
    call('ZADD', K.timers, items[i + 1], items[i])
    call('ZREM', key('suspended', scope), items[i])
  end
  left = left - #items / 2
end
-- The one mover: tasks by their place, then timers by their moment, as much as this script may still touch, however
-- many scopes are free again in it; the coordinator brings the rest.
local function bring_back(scope)
  unpark(scope)
  restart_timers(scope)
  if left > 0 then call('SREM', K.suspending, scope) end
end
-- Some queues, once a script: each of many pauses that end together may have held any of them.
local are_woken = false
local function wake_queues(scope)
  local capability = scope:match('^cap:(.*)$')
  if capability then note_queue(capability) end
  for _, queue in ipairs(are_woken and {} or call('SRANDMEMBER', K.queues, 256)) do wake(queue) end
  are_woken = true
end
-- Whether it was paused.
local function resume(scope, note)
  if not forget_pause(scope) then return false end
  local run = scope:match('^run:(.*)$')
  if run then emit(run, 'run_resumed', '-', note) else note_control('resumed', scope, note) end
  bring_back(scope)
  wake_queues(scope)
  -- Decisions about steps were left in the stream: a further one lets the coordinator look at once.
  if call('XLEN', K.decisions) > 0 then ask(run or '', '', 'counters') end
  return true
end

-- A task paused by name: in no set, and its timers are suspended. Its record is when the pause began and JSON {by,
-- kind, until, why}.
-- What the timers still had to run, as words 'kind:ms'. A queue timer is none of them: who is READY again waits anew.
-- Who has none, as most have, is asked in two commands.
-- lazy
local function stop_timers(m)
  local left, items, any = {}, timers_of(m.id), call('EXISTS', K.suspending) == 1
  for _, at in ipairs(call('ZMSCORE', K.timers, unpack(items))) do any = any or at end
  if not any then return '' end
  for _, item in ipairs(items) do
    local ms, kind = time_left(item, m), item:match('^%w+')
    if ms and kind ~= 'queue' then left[#left + 1] = kind .. ':' .. math.max(0, ms) end
  end
  drop_timers(m.id)
  return table.concat(left, ' ')
end
-- Another time for a suspended timer; at: ms, or nil for none.
local function change_left(m, kind, at)
  local left = (call('HGET', key('task', m.id), F.timers_left) or ''):gsub(kind .. ':%d+ *', '')
  if at and kind ~= 'queue' then left = left .. ' ' .. kind .. ':' .. math.max(0, at - now) end
  call('HSET', key('task', m.id), F.timers_left, left)
end
-- lazy
local function end_of(record) return tonumber(record:match('"until":(%d+)')) end
-- lazy
local function end_pause_at(id, ends)
  if ends then call('ZADD', K.timers, ends, 'resume:task:' .. id) else call('ZREM', K.timers, 'resume:task:' .. id) end
end
-- left: of its timers.
-- lazy
local function suspend_task(m, record, left)
  move(m, T.PAUSED)
  call('HSET', key('task', m.id), F.status, T.PAUSED, F.pause, record, F.timers_left, left)
  call('HDEL', key('task', m.id), F.pause_asked, F.due)
  local ends = end_of(record)
  if ends then end_pause_at(m.id, ends) end
  emit(m.run, 'paused', m.id, record)
end
-- The record of the pause that a RUNNING task was asked to make at its end, unless that pause is over.
-- lazy
local function asked_to_pause(m)
  local record = call('HGET', key('task', m.id), F.pause_asked)
  local ends = record and end_of(record)
  if record and (not ends or ends > now) then return record end
  if record then call('HDEL', key('task', m.id), F.pause_asked) end
end

-- PAUSED -> where its waits say, computed anew; its timers get the time that they had left.
local function unsuspend_task(m)
  local left, retries = call('HGET', key('task', m.id), F.timers_left), false
  call('HDEL', key('task', m.id), F.pause, F.timers_left)
  end_pause_at(m.id, nil)
  for kind, ms in left:gmatch('(%w+):(%d+)') do
    local due = now + ms
    set_timer(kind, m.id, due)
    if kind == 'total' then
      call('HSET', key('task', m.id), F.total_end, due)
      grown(m, F.total_paused)
    end
    if kind == 'schedule' or kind == 'retry' then
      call('HSET', key('task', m.id), F.due, due)
      m.due = due
    end
    retries = kind == 'retry' and ms or retries
  end
  local to = retries and T.RETRYING or T.PENDING
  move(m, to)
  call('HSET', key('task', m.id), F.status, to)
  if retries then
    emit(m.run, 'retrying', m.id, m.att .. ' ' .. retries .. ' resumed')
  else
    emit(m.run, 'resumed', m.id)
    try_ready(m, '')
  end
end
-- The task behind a pause's end, or behind a client's word; what became of it.
local function resume_task(id)
  local m = find(id)
  if not m then return {'missing'} end
  local question = m.st == T.PAUSED and call('HGET', key('task', m.id), F.question)
  if m.st == T.PAUSED and not question then
    unsuspend_task(m)
    return {'ok', m.st}
  end
  if question and call('HEXISTS', key('task', m.id), F.pause_asked) == 0 then return {'asks', question} end
  if not question and m.st ~= T.RUNNING or call('HDEL', key('task', m.id), F.pause_asked) == 0 then return {'conflict', m.st} end
  emit(m.run, 'pause_withdrawn', m.id)
  return {'ok', m.st}
end
