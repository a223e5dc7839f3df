-- Fences a coordinator whose term is over; an empty term is a client, which no term binds.
-- uses: clock
local function outdated(term)
  return term ~= '' and call('HGET', K.leader, 'term') ~= term
end
