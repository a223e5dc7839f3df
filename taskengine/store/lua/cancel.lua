-- Cancels what has not started at once; asks the worker of what runs.
-- args: task, reason, envelope
-- returns: {'ok', new status} | {'asked'} | {'conflict', status} | {'settling', kind, id} | {'missing'}
-- events: cancelled | cancel_requested
-- uses: settle, give_up, execution, grant
local m = find(ARGV[1])
if not m then return {'missing'} end
if C.terminal[m.st] then return {'conflict', m.st} end
local wait = unsettled(m)
if wait then return wait end
if m.st == T.RUNNING then
  if m.cq then return {'asked'} end
  call('HSET', key('task', m.id), 'cq', ARGV[2])
  call('HSET', key('exec', execution_id(m.id, m.att)), 'cq', now)
  emit(m.run, 'cancel_requested', m.id, ARGV[2])
  return {'asked'}
end
give_up(m, T.CANCELLED, ARGV[2], 'rsn', ARGV[2])
grant_made()
return {'ok', T.CANCELLED}
