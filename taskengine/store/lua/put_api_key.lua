-- Stores a key for the server of REST: never its secret.
-- args: id, sha, name, scope, ends, rate, life, most
-- returns: {'ok'} | {'taken'} | {'full'}
-- fields: api_key.sha, api_key.name, api_key.scope, api_key.created, api_key.ends, api_key.rate, api_key.is_local
-- ends: ms, or '' for never. rate: requests a minute, 0 for any number. most: keys that may be stored. life: ms that a
-- server's own key for its machine lasts unless it is renewed; '' for any other.
local name = key('api_key', A.id)
local sha = call('HGET', name, F.api_key.sha)
if sha then return {sha == A.sha and 'ok' or 'taken'} end
if call('ZCARD', K.api_keys) >= tonumber(A.most) then return {'full'} end
call('HSET', name, F.api_key.sha, A.sha, F.api_key.name, A.name, F.api_key.scope, A.scope, F.api_key.created, now,
  F.api_key.ends, A.ends, F.api_key.rate, A.rate)
if A.life ~= '' then
  call('HSET', name, F.api_key.ends, string.format('%.0f', now + tonumber(A.life)), F.api_key.is_local, '1')
end
call('ZADD', K.api_keys, now, A.id)
return {'ok'}
