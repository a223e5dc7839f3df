-- Ends a pause: the flag goes, and what was moved aside because of it comes back, 256 at a time.
-- uses: clock, event, ready, pause, unpark
-- Timers that came due in the pause run again; how many.
local function restart_timers(scope, most)
  local items = call('ZRANGE', key('stands', scope), 0, most - 1, 'WITHSCORES')
  for i = 1, #items, 2 do
    call('ZADD', K.timers, items[i + 1], items[i])
    call('ZREM', key('stands', scope), items[i])
  end
  if #items < 2 * most then call('SREM', K.standing, scope) end
  return #items / 2
end
-- Brings back what a scope that is not paused holds aside, at most `most`; how many.
local function bring_back(scope, most)
  local moved = unpark('pause:' .. scope, most)
  return moved + restart_timers(scope, most - moved)
end
local function wake_lanes(scope)
  local capability = scope:match('^cap:(.*)$')
  if capability then note_lane(capability) end
  for i, lane in ipairs(call('SMEMBERS', K.lanes)) do
    if i <= 256 then wake(lane) end
  end
end
-- Whether it was paused.
local function resume(scope, note)
  if not forget_pause(scope) then return false end
  local run = scope:match('^run:(.*)$')
  if run then emit(run, 'run_resumed', '-', note) else note_control('resumed', scope, note) end
  bring_back(scope, 256)
  wake_lanes(scope)
  return true
end
