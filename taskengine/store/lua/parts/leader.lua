-- Fences a coordinator whose term is over or lapsed; an empty term is a client, which no term binds.
-- fields: leader.term, leader.leads_until
-- uses: clock
-- The lapse counts too: what a frozen server finds in its sockets when it thaws was asked by a leader that could not
-- know of the frost, and by then every lease looks lapsed.
local function outdated(term)
  if term == '' then return false end
  local l = call('HMGET', K.leader, F.leader.term, F.leader.leads_until)
  return l[1] ~= term or tonumber(l[2] or 0) <= now
end
