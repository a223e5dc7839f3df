-- Lets an agent take nothing new, or take work again; its workers hear of it with their next beat.
-- args: agent, why
-- returns: {'ok', 1 when it drains or did until now, else 0} | {'missing'}
-- fields: agent.draining
-- why: JSON {by, why}; '' ends it.
if call('EXISTS', key('agent', A.agent)) == 0 then return {'missing'} end
local before = call('HGET', key('agent', A.agent), F.agent.draining) or ''
local since, said = before:match('^(%d+) (.*)$')
if A.why == '' then
  if since then
    call('HDEL', key('agent', A.agent), F.agent.draining)
    call('INCR', K.agent_revision)
  end
  return {'ok', since and 1 or 0}
end
if said ~= A.why then
  call('HSET', key('agent', A.agent), F.agent.draining, (since or now) .. ' ' .. A.why)
  call('INCR', K.agent_revision)
end
return {'ok', 1}
