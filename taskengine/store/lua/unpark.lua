-- Puts back what was moved aside and whose reason is gone: pinned tasks whose agent a live node offers, tasks and
-- timers of what is paused no more.
-- args: term, envelope
-- returns: {'ok', moved} | {'stale'}
-- uses: grant, leader, unpark, pause, resume
if outdated(ARGV[1]) then return {'stale'} end
local moved = 0
for _, reason in ipairs(call('SMEMBERS', K.parks)) do
  local agent, scope = reason:match('^agent:(.*)$'), reason:match('^pause:(.*)$')
  if agent and moved < 256 then
    local _, _, offered = free_slots('@' .. agent, true)
    if offered then moved = moved + unpark(reason, 256 - moved) end
  elseif scope and moved < 256 and not first_paused({scope}) then
    moved = moved + unpark(reason, 256 - moved)
  end
end
for _, scope in ipairs(call('SMEMBERS', K.standing)) do
  if moved < 256 and not first_paused({scope}) then moved = moved + restart_timers(scope, 256 - moved) end
end
grant_made()
return {'ok', moved}
