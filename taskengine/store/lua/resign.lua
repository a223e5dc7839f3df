-- Gives the leadership up, so that a standby follows at once; does nothing when it is somebody else's.
-- args: id
-- returns: {'ok'}
-- fields: leader.id, leader.leads_until
if call('HGET', K.leader, F.leader.id) == A.id then call('HSET', K.leader, F.leader.leads_until, 0) end
return {'ok'}
