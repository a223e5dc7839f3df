-- Reads what is stored of agents, each with its pause.
-- args: agents...
-- returns: {'ok', server ms, revision of all, pause of everything, {fields, pause} | '' ...} in the order asked
-- fields are a flat list, a pause is its record or ''.
local found = {'ok', now, tonumber(call('GET', K.agent_revision) or 0), call('HGET', K.pauses, 'all') or ''}
for i = A.agents.first, A.agents.last do
  local fields = call('HGETALL', key('agent', A.agents[i]))
  local pause = call('HGET', K.pauses, 'agent:' .. A.agents[i]) or ''
  found[#found + 1] = #fields > 0 and {fields, pause} or ''
end
return found
