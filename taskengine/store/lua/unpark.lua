-- Puts back what was set aside and whose scope is free: pinned tasks whose agent a live node offers, tasks and timers of
-- what is paused no more.
-- args: term, start, envelope
-- returns: {'ok', moved, where to go on or '0'} | {'stale'}
-- start: '0' at first; a place among the scopes under which something is set aside.
-- Some scopes a script: thousands may be in use, each with a question of its own.
if outdated(A.term) then return {'stale'} end
-- A scope that a later version brings is asked here.
local function is_free(scope)
  local agent = scope:match('^offer:(.*)$')
  if agent then return is_offered('@' .. agent) end
  if scope:sub(1, 5) == 'room:' then return false end  -- whoever has room takes the best of them
  return not first_paused({scope})
end
local most, some = left, call('SSCAN', K.suspending, A.start, 'COUNT', 64)
local place = some[1]
for _, scope in ipairs(some[2]) do
  if is_free(scope) then bring_back(scope) end
  -- Here once more, for there was too much.
  if left == 0 then place = A.start end
end
grant_made()
return {'ok', most - left, place}
