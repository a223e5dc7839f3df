-- Ends a pause: the flag goes, and what was moved aside because of it comes back, 256 at a time.
-- uses: clock, event, ready, pause, unpark, pins
-- Timers that came due in the pause run again, at most `most`; how many.
local function restart_timers(scope, most)
  if most <= 0 then return 0 end
  local items = call('ZRANGE', key('stands', scope), 0, most - 1, 'WITHSCORES')
  for i = 1, #items, 2 do
    call('ZADD', K.timers, items[i + 1], items[i])
    call('ZREM', key('stands', scope), items[i])
  end
  if #items < 2 * most then call('SREM', K.standing, scope) end
  return #items / 2
end
-- As much as this script may still touch, however many pauses end in it; the coordinator brings the rest.
local function bring_back(scope)
  left = left - unpark('pause:' .. scope, left)
  left = left - restart_timers(scope, left)
end
-- Some lanes, once a script: each of many pauses that end together may have held any of them.
local are_woken = false
local function wake_lanes(scope)
  local capability = scope:match('^cap:(.*)$')
  if capability then note_lane(capability) end
  for _, lane in ipairs(are_woken and {} or call('SRANDMEMBER', K.lanes, 256)) do wake(lane) end
  are_woken = true
end
-- Whether it was paused.
local function resume(scope, note)
  if not forget_pause(scope) then return false end
  local run = scope:match('^run:(.*)$')
  if run then emit(run, 'run_resumed', '-', note) else note_control('resumed', scope, note) end
  bring_back(scope)
  wake_lanes(scope)
  return true
end
