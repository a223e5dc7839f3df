-- Lays a definition by; it goes by itself within the hour unless a workflow that uses it starts.
-- args: digest, text
-- returns: {'ok'}
-- uses: clock
if call('SET', key('def', ARGV[1]), ARGV[2], 'NX', 'EX', 3600) then return {'ok'} end
if call('TTL', key('def', ARGV[1])) >= 0 then call('EXPIRE', key('def', ARGV[1]), 3600) end
return {'ok'}
