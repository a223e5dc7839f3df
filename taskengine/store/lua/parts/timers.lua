-- Timers of a task: in the coordinator's set, or standing under a pause.
-- uses: clock
local KINDS = {'schedule', 'retry', 'expire', 'queue', 'total'}
local function timers_of(id)
  local found = {}
  for i, kind in ipairs(KINDS) do found[i] = kind .. ':' .. id end
  return found
end
-- When a timer is, or was, due; false without one.
local function where_timed(item)
  local at = call('ZSCORE', K.timers, item)
  for _, scope in ipairs(at and {} or call('SMEMBERS', K.standing)) do
    at = at or call('ZSCORE', key('stands', scope), item)
  end
  return at
end
local function set_timer(kind, id, at)
  call('ZADD', K.timers, at, kind .. ':' .. id)
end
local function drop_items(items)
  call('ZREM', K.timers, unpack(items))
  for _, scope in ipairs(call('SMEMBERS', K.standing)) do call('ZREM', key('stands', scope), unpack(items)) end
end
local function drop_timer(kind, id)
  drop_items({kind .. ':' .. id})
end
local function drop_timers(id)
  local items = timers_of(id)
  items[#items + 1] = 'resume:task:' .. id
  drop_items(items)
end
