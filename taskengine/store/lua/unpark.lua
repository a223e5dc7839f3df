-- Puts back what was moved aside and whose reason is gone: pinned tasks whose agent a live node offers, tasks and
-- timers of what is paused no more.
-- args: term, start, envelope
-- returns: {'ok', moved, where to go on or '0'} | {'stale'}
-- start: '0' at first. A place among the reasons in use, or, behind an 's', among the scopes under which timers stand.
-- Some reasons and scopes a script: thousands may be in use, each with a question of its own.
if outdated(A.term) then return {'stale'} end
local most = left
local function try_reason(reason)
  local agent, scope = reason:match('^agent:(.*)$'), reason:match('^pause:(.*)$')
  if agent and is_offered('@' .. agent) or scope and not first_paused({scope}) then unpark(reason) end
end
local function try_scope(scope)
  if not first_paused({scope}) then restart_timers(scope) end
end
-- Where to go on: here once more when there was too much.
local function walk(set, from, try)
  local some = call('SSCAN', set, from, 'COUNT', 64)
  for _, one in ipairs(some[2]) do
    if left == 0 then return from end
    try(one)
  end
  return left > 0 and some[1] or from
end
local scope_from, place = A.start:match('^s(%d+)$'), '0'
if not scope_from then
  place = walk(K.parks, A.start, try_reason)
  if left > 0 and place == '0' then scope_from = '0' end
end
if scope_from then
  place = walk(K.standing, scope_from, try_scope)
  if left == 0 or place ~= '0' then place = 's' .. place end
end
grant_made()
return {'ok', most - left, place}
