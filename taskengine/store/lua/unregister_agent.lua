-- Forgets an agent that no live node serves.
-- args: agent, envelope
-- returns: {'ok'} | {'serves', nodes} | {'missing'}
if call('EXISTS', key('agent', A.agent)) == 0 then return {'missing'} end
local nodes = offering('@' .. A.agent)
if nodes > 0 then return {'serves', nodes} end
call('DEL', key('agent', A.agent))
call('ZREM', K.agents, A.agent)
share_limits(A.agent, '', '', '', '', '')
call('HDEL', K.pollers, A.agent)
grant_made()
call('INCR', K.agent_revision)
return {'ok'}
