-- Forgets a limit that no agent shares.
-- args: limit
-- returns: {'ok'} | {'shared', agents, agent ...} three of them | {'missing'}
if call('SISMEMBER', K.limits, A.limit) == 0 then return {'missing'} end
local agents = call('SCARD', key('sharing', A.limit))
if agents > 0 then return {'shared', agents, unpack(call('SRANDMEMBER', key('sharing', A.limit), 3))} end
call('SREM', K.limits, A.limit)
call('DEL', key('limit', A.limit))
call('ZREM', K.timers, 'open:' .. A.limit)
return {'ok'}
