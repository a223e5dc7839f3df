-- Gives the leadership up, so that a standby follows at once; does nothing when it is somebody else's.
-- args: id
-- returns: {'ok'}
-- uses: clock
if call('HGET', K.leader, 'id') == ARGV[1] then call('HSET', K.leader, 'until', 0) end
return {'ok'}
