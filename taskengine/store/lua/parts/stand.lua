-- A timer that came due under a pause stands there until the pause ends. A moment (a time to start, to expire, of a next
-- attempt) is over by then; a length of time (queue, total) goes on with what was left of it when the pause began.
-- uses: clock, task, timers
local LENGTHS = {queue = true, total = true}
local function stand(m, kind, scope, story)
  local item = kind .. ':' .. m.id
  local at = tonumber(call('ZSCORE', K.timers, item))
  if LENGTHS[kind] then
    -- What became READY during the pause has all of it left.
    local ready = tonumber(call('HGET', key('task', m.id), 'rdy') or 0)
    at = at - math.max(tonumber(story:match('^%d+')), kind == 'queue' and ready or 0)
  end
  call('ZADD', key('stands', scope), at, item)
  call('SADD', K.standing, scope)
  call('ZREM', K.timers, item)
end
-- What a timer still has to run, in ms; nil without one.
local function time_left(item)
  local at = call('ZSCORE', K.timers, item)
  if at then return at - now end
  for _, scope in ipairs(call('SMEMBERS', K.standing)) do
    at = call('ZSCORE', key('stands', scope), item)
    if at then return LENGTHS[item:match('^%w+')] and tonumber(at) or at - now end
  end
end
local function restart(item, at)
  local kind, id = item:match('^(%w+):(.*)$')
  if LENGTHS[kind] then at = now + math.max(0, at) end
  if kind == 'total' then call('HSET', key('task', id), 'tend', at) end
  set_timer(kind, id, at)
end
