-- How much waits in the lanes in use, and under the scopes under which tasks are parked; some a call.
-- args: set, start
-- returns: {where to go on or '0', {lane, ready, granted, offered} ... | {scope, parked} ...} maybe one twice
-- set: lanes or scopes. start: '0' at first. offered: live nodes that offer it.
local found
if A.set == 'lanes' then
  local some = call('SSCAN', K.lanes, A.start, 'COUNT', 32)
  found = {some[1]}
  for i, lane in ipairs(some[2]) do
    found[i + 1] = {lane, call('ZCARD', key('ready', lane)), call('SCARD', key('granted', lane)), offering(lane)}
  end
else
  local some = call('SSCAN', K.suspending, A.start, 'COUNT', 128)
  found = {some[1]}
  for i, scope in ipairs(some[2]) do found[i + 1] = {scope, call('ZCARD', key('park', scope))} end
end
return found
