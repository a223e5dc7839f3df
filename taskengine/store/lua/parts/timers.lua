-- Timers of a task: in the coordinator's set, or standing under a pause.
-- fields: run, queue
-- uses: clock, pause
local KINDS = {'schedule', 'retry', 'expire', 'queue', 'total', 'step', 'moment'}
local function timers_of(id)
  local found = {}
  for i, kind in ipairs(KINDS) do found[i] = kind .. ':' .. id end
  return found
end
-- Under which scopes timers of a task may stand: those that it feels, not the thousands that may be paused.
local function stands_of(id)
  if call('EXISTS', K.standing) == 0 then return {} end
  local v = call('HMGET', key('task', id), F.run, F.queue)
  return v[1] and scopes_of({id = id, run = v[1], lane = v[2]}) or {}
end
-- When a timer is, or was, due; false without one.
local function where_timed(item)
  local at = call('ZSCORE', K.timers, item)
  for _, scope in ipairs(at and {} or stands_of(item:match(':(.*)$'))) do
    at = at or call('ZSCORE', key('stands', scope), item)
  end
  return at
end
local function set_timer(kind, id, at)
  call('ZADD', K.timers, at, kind .. ':' .. id)
end
local function drop_items(id, items)
  call('ZREM', K.timers, unpack(items))
  for _, scope in ipairs(stands_of(id)) do call('ZREM', key('stands', scope), unpack(items)) end
end
local function drop_timer(kind, id)
  drop_items(id, {kind .. ':' .. id})
end
local function drop_timers(id)
  local items = timers_of(id)
  items[#items + 1] = 'resume:task:' .. id
  drop_items(id, items)
end
-- A task that feels a scope no more: its timers that stand there run again, or stand under what it feels now.
local function leave_scope(id, scope)
  for _, item in ipairs(call('EXISTS', K.standing) == 1 and timers_of(id) or {}) do
    local at = call('ZSCORE', key('stands', scope), item)
    if at then
      call('ZADD', K.timers, at, item)
      call('ZREM', key('stands', scope), item)
    end
  end
end
