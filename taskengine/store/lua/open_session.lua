-- Lets a browser in with a key for some hours: a session's secret takes the place of the key's.
-- args: id, sha, session, secret, ms, most
-- returns: {'ok'} | {'missing'}
-- fields: api_key.sha
-- sha: of the key's secret. secret: sha256 of the session's. ms: how long it lasts. most: sessions of one key; a further
-- one takes the place of the one that ends first.
if call('HGET', key('api_key', A.id), F.api_key.sha) ~= A.sha then return {'missing'} end
local sessions = key('sessions', A.id)
local all, left, first, first_ends = call('HGETALL', sessions), 0, nil, math.huge
for i = 1, #all, 2 do
  local session, ends = all[i], tonumber(all[i + 1]:match('%d+$'))
  if session == A.session then return {'ok'} end
  if ends <= now then
    call('HDEL', sessions, session)
  else
    left = left + 1
    if ends < first_ends then first, first_ends = session, ends end
  end
end
if left >= tonumber(A.most) then call('HDEL', sessions, first) end
call('HSET', sessions, A.session, A.secret .. ' ' .. string.format('%.0f', now + tonumber(A.ms)))
call('PEXPIRE', sessions, math.max(tonumber(A.ms), call('PTTL', sessions)))
return {'ok'}
