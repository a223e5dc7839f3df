-- Deadlines stand in scores, in whole seconds. Open tasks that have one are looked at from time to time, until they are
-- over or at risk; whoever has none pays nothing.
-- fields: at_risk
-- uses: clock
local function deadline_of(score)
  local seconds = math.floor(tonumber(score) / 262144) % 4294967296
  return seconds < 4294967295 and seconds
end
local function watch_deadline(id, score)
  if deadline_of(score) then call('ZADD', K.deadlines, now, id) end
end
-- A deadline that is new, or gone: what was said of the old one is no longer so.
local function change_deadline(id, old, new)
  if deadline_of(old) == deadline_of(new) then return end
  call('HDEL', key('task', id), F.at_risk)
  call('ZREM', K.deadlines, id)
  watch_deadline(id, new)
end
