-- How much waits in the lanes in use, and under the reasons for which tasks were moved aside; some a call.
-- args: set, start
-- returns: {where to go on or '0', {lane, ready, granted, offered} ... | {reason, parked} ...} maybe one twice
-- set: lanes or parks. start: '0' at first. offered: live nodes that offer it.
local found
if A.set == 'lanes' then
  local some = call('SSCAN', K.lanes, A.start, 'COUNT', 32)
  found = {some[1]}
  for i, lane in ipairs(some[2]) do
    found[i + 1] = {lane, call('ZCARD', key('ready', lane)), call('SCARD', key('granted', lane)), offering(lane)}
  end
else
  local some = call('SSCAN', K.parks, A.start, 'COUNT', 128)
  found = {some[1]}
  for i, reason in ipairs(some[2]) do found[i + 1] = {reason, call('ZCARD', key('park', reason))} end
end
return found
