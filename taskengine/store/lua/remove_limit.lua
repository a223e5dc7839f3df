-- Forgets a limit that no agent shares, and nothing that runs holds.
-- args: limit
-- returns: {'ok'} | {'shared', agents, agent ...} three of them | {'held', executions} | {'missing'}
if call('SISMEMBER', K.limits, A.limit) == 0 then return {'missing'} end
local agents = call('SCARD', key('sharing', A.limit))
if agents > 0 then return {'shared', agents, unpack(call('SRANDMEMBER', key('sharing', A.limit), 3))} end
local held = call('SCARD', key('flight', A.limit))
if held > 0 then return {'held', held} end
call('SREM', K.limits, A.limit)
call('DEL', key('limit', A.limit))
call('ZREM', K.timers, 'open:' .. A.limit)
return {'ok'}
