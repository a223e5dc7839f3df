-- Lets a server's own key for its machine last on from now; one that was made without an end gets one.
-- args: id, sha, life
-- returns: {'ok'} | {'missing'}
-- fields: api_key.sha, api_key.ends, api_key.is_local
-- sha: of the key's secret. life: ms.
local name = key('api_key', A.id)
if call('HGET', name, F.api_key.sha) ~= A.sha then return {'missing'} end
call('HSET', name, F.api_key.ends, string.format('%.0f', now + tonumber(A.life)), F.api_key.is_local, '1')
return {'ok'}
