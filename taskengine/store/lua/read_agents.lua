-- Reads what is stored of agents, each with its pause.
-- args: agents...
-- returns: {'ok', server ms, revision of all, pause of everything, {fields, pause, closed} | '' ...} in the order asked
-- fields: limit.why
-- fields are a flat list, a pause is its record or ''. closed: {limit, which bound of it, ms when that changes by itself
-- or '', why it is paused or its breaker open} of an agent that its limits let start nothing, or {}.
load_limits_of(A.agents)
local function closed(agent)
  local room, opens, what, name = room_for(agent)
  if room > 0 then return {} end
  return {name, what, opens or '', load_limit(name)[F.limit.why] or ''}
end
local found = {'ok', now, tonumber(call('GET', K.agent_revision) or 0), call('HGET', K.pauses, 'all') or ''}
for i = A.agents.first, A.agents.last do
  local fields = call('HGETALL', key('agent', A.agents[i]))
  local pause = call('HGET', K.pauses, 'agent:' .. A.agents[i]) or ''
  found[#found + 1] = #fields > 0 and {fields, pause, closed(A.agents[i])} or ''
end
return found
