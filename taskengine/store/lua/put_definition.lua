-- Lays a definition by; it goes by itself within the hour unless a workflow that uses it starts.
-- args: digest, text
-- returns: {'ok'}
if call('SET', key('def', A.digest), A.text, 'NX', 'EX', 3600) then return {'ok'} end
if call('TTL', key('def', A.digest)) >= 0 then call('EXPIRE', key('def', A.digest), 3600) end
return {'ok'}
