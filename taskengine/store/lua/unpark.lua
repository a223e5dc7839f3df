-- Puts back what was moved aside and whose reason is gone: pinned tasks whose agent a live node offers, tasks and
-- timers of what is paused no more.
-- args: term, from, envelope
-- returns: {'ok', moved, where to go on or '0'} | {'stale'}
-- uses: grant, leader, unpark, pause, resume
if outdated(ARGV[1]) then return {'stale'} end
local moved = 0
-- Some reasons a script: thousands may be in use, each with a question of its own.
local some = call('SSCAN', K.parks, ARGV[2], 'COUNT', 64)
for _, reason in ipairs(some[2]) do
  local agent, scope = reason:match('^agent:(.*)$'), reason:match('^pause:(.*)$')
  if agent and moved < 256 then
    if is_offered('@' .. agent) then moved = moved + unpark(reason, 256 - moved) end
  elseif scope and moved < 256 and not first_paused({scope}) then
    moved = moved + unpark(reason, 256 - moved)
  end
end
for _, scope in ipairs(ARGV[2] == '0' and call('SMEMBERS', K.standing) or {}) do
  if moved < 256 and not first_paused({scope}) then moved = moved + restart_timers(scope, 256 - moved) end
end
grant_made()
return {'ok', moved, moved < 256 and some[1] or ARGV[2]}
