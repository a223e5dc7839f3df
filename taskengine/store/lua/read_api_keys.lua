-- The keys that there are, oldest first; 64 a call.
-- args: start
-- reply api_key: id, name, scope, created, ends, rate, used, is_local
-- returns: {where to go on, 0 at the end, key ...}
-- fields: api_key.name, api_key.scope, api_key.created, api_key.ends, api_key.rate, api_key.used
-- fields: api_key.is_local
local PIECE = 64
local start = tonumber(A.start)
local ids = call('ZRANGE', K.api_keys, start, start + PIECE - 1)
local found = {#ids == PIECE and start + PIECE or 0}
for _, id in ipairs(ids) do
  local k = call('HMGET', key('api_key', id), F.api_key.name, F.api_key.scope, F.api_key.created, F.api_key.ends,
    F.api_key.rate, F.api_key.used, F.api_key.is_local)
  found[#found + 1] = R.api_key{id = id, name = k[1], scope = k[2], created = k[3], ends = k[4], rate = k[5],
    used = k[6] or '', is_local = k[7] or ''}
end
return found
