-- A READY task that may not run now waits under its reason, out of everybody's way, with its place kept.
-- fields: parked
-- uses: clock, task
-- How many heads this script still moves aside, whatever the number of lanes.
local parks_left = 16
local function park(m, reason)
  parks_left = parks_left - 1
  call('ZREM', key('ready', m.lane), member(m))
  call('ZADD', key('park', reason), m.score, member(m))
  call('SADD', K.parks, reason)
  call('HSET', key('task', m.id), F.parked, reason)
end
