-- Deletes grants whose claim deadline passed: they never ran; their tasks are READY at their old place again.
-- args: term, most, envelope
-- returns: {'ok', withdrawn} | {'stale'}
-- uses: grant, leader, ready, unqueue
if outdated(ARGV[1]) then return {'stale'} end
local late = call('ZRANGEBYSCORE', K.granted_all, '-inf', now, 'LIMIT', 0, ARGV[2])
for _, eid in ipairs(late) do
  local m = load(call('HGET', key('exec', eid), 'task') or '')
  if m and m.granted == eid then
    drop_grant(m)
    enqueue(m)
  else
    call('ZREM', K.granted_all, eid)
    for _, lane in ipairs(call('SMEMBERS', K.lanes)) do call('SREM', key('granted', lane), eid) end
    if not m then call('DEL', key('exec', eid)) end
  end
end
grant_made()
return {'ok', #late}
