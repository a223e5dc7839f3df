-- Asks the next of many steps that wait for a change of variables.
-- args: term, entry, frame
-- returns: {'ok', 1 while more remain else 0} | {'stale'} the term
-- fields: frame.asking
if outdated(A.term) then return {'stale'} end
local frame = A.frame
local cursor = call('HGET', key('frame', frame), F.frame.asking)
if not cursor then
  answered(A.entry)
  return {'ok', 0}
end
local found = call('SSCAN', key('condition_waiters', frame), cursor, 'COUNT', 64)
for _, id in ipairs(found[2]) do ask(id, '', 'changed') end
if found[1] ~= '0' then
  call('HSET', key('frame', frame), F.frame.asking, found[1])
  return {'ok', 1}
end
call('HDEL', key('frame', frame), F.frame.asking)
answered(A.entry)
return {'ok', 0}
