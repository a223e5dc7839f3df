-- Registers a definition under a name; the latest 20 of a name are kept.
-- args: name, digest, by
-- returns: {'ok', version} | {'undefined'} it is not there
if call('EXISTS', key('definition', A.digest)) == 0 then return {'undefined'} end
local latest = call('HGET', K.definitions, A.name)
local before, version = (latest or ''):match('^(%S+) (%d+)$')
if before == A.digest then return {'ok', tonumber(version)} end
version = tonumber(version or 0) + 1
call('PERSIST', key('definition', A.digest))
call('SADD', key('definition_users', A.digest), 'name:' .. A.name)
call('HSET', K.definitions, A.name, A.digest .. ' ' .. version)
call('RPUSH', key('versions', A.name), A.digest .. ' ' .. now .. ' ' .. A.by)
while call('LLEN', key('versions', A.name)) > 20 do
  local oldest = call('LPOP', key('versions', A.name)):match('^%S+')
  call('SREM', key('definition_users', oldest), 'name:' .. A.name)
  if call('EXISTS', key('definition_users', oldest)) == 0 then call('EXPIRE', key('definition', oldest), 3600) end
end
return {'ok', version}
