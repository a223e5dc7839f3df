-- Lays a definition by; it goes by itself within the hour unless a workflow that uses it starts.
-- args: digest, text
-- returns: {'ok'}
if call('SET', key('definition', A.digest), A.text, 'NX', 'EX', 3600) then return {'ok'} end
if call('TTL', key('definition', A.digest)) >= 0 then call('EXPIRE', key('definition', A.digest), 3600) end
return {'ok'}
