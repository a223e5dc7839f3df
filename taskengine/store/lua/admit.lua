-- Lets in a request that shows a key, or a session of it, unless the key's rate is used up.
-- args: id, session, sha, request
-- returns: {'ok', name, scope, ends} | {'limited', ms to wait, name} | {'missing'} | {'expired'}
-- fields: api_key.sha, api_key.name, api_key.scope, api_key.ends, api_key.rate, api_key.busy_until, api_key.request
-- fields: api_key.used, api_key.is_local
-- session: '' for the key itself. sha: of the secret shown, the key's or the session's; another one is missing, as an id
-- that nobody has. A request counts once; '' is none: whoever was let in already is looked at again. The rate is GCRA:
-- each request lasts its share of a minute, and they may come up to ten seconds ahead of themselves. ends: of a key that
-- nobody renews, ms; '' for never.
local AHEAD_MS, USED_MS = 10000, 60000
local name = key('api_key', A.id)
local k = call('HMGET', name, F.api_key.sha, F.api_key.name, F.api_key.scope, F.api_key.ends, F.api_key.rate,
  F.api_key.busy_until, F.api_key.request, F.api_key.used, F.api_key.is_local)
if not k[1] then return {'missing'} end
if A.session == '' then
  if k[1] ~= A.sha then return {'missing'} end
else
  local secret, ends = (call('HGET', key('sessions', A.id), A.session) or ''):match('^(%S+) (%d+)$')
  if secret ~= A.sha then return {'missing'} end
  if tonumber(ends) <= now then return {'expired'} end
end
if k[4] ~= '' and tonumber(k[4]) <= now then return {'expired'} end
local rate = tonumber(k[5])
if rate > 0 and A.request ~= '' and k[7] ~= A.request then
  local share = 60000 / rate
  local busy_until = math.max(now, tonumber(k[6] or 0)) + share
  local wait = busy_until - now - math.max(AHEAD_MS, share)
  if wait > 0 then return {'limited', math.ceil(wait), k[2]} end
  call('HSET', name, F.api_key.busy_until, string.format('%.3f', busy_until), F.api_key.request, A.request)
end
if A.request ~= '' and now - tonumber(k[8] or 0) >= USED_MS then call('HSET', name, F.api_key.used, now) end
return {'ok', k[2], k[3], k[9] and '' or k[4]}
