-- How much waits in the queues in use, and under the scopes under which tasks are parked; some a call.
-- args: set, start
-- returns: {where to go on or '0', {queue, ready, granted, offered} ... | {scope, parked} ...} maybe one twice
-- set: queues or scopes. start: '0' at first. offered: live nodes that offer it.
local found
if A.set == 'queues' then
  local some = call('SSCAN', K.queues, A.start, 'COUNT', 32)
  found = {some[1]}
  for i, queue in ipairs(some[2]) do
    found[i + 1] = {queue, call('ZCARD', key('ready', queue)), call('SCARD', key('granted', queue)), offering(queue)}
  end
else
  local some = call('SSCAN', K.suspending, A.start, 'COUNT', 128)
  found = {some[1]}
  for i, scope in ipairs(some[2]) do found[i + 1] = {scope, call('ZCARD', key('park', scope))} end
end
return found
