-- Puts parked tasks back whose reason is gone: pinned ones whose agent a live node offers.
-- args: term, envelope
-- returns: {'ok', moved} | {'stale'}
-- uses: grant, leader, unpark
if outdated(ARGV[1]) then return {'stale'} end
local moved = 0
for _, reason in ipairs(call('SMEMBERS', K.parks)) do
  local agent = reason:match('^agent:(.*)$')
  if agent and moved < 256 then
    local _, _, offered = free_slots('@' .. agent, true)
    if offered then moved = moved + unpark(reason, 256 - moved) end
  end
end
grant_made()
return {'ok', moved}
