-- Holds tasks back that have not started, or releases them: a held one is PENDING until it is released.
-- args: held, tasks..., envelope
-- returns: {{'ok', status, 1 when something changed else 0} | {'conflict', status} | {'settling', kind, id} | {'missing'} ...}
-- events: held, pending | released, ready
-- fields: held
-- held: '1', or '' to release. A granted task is taken back; its message wakes nobody in vain.
local HOLDABLE = {[T.PENDING] = true, [T.READY] = true, [T.PAUSED] = true}
local function hold(m)
  call('HSET', key('task', m.id), F.held, 1)
  emit(m.run, 'held', m.id)
  if m.st ~= T.READY then return end
  if m.granted then drop_grant(m) else leave_ready(m) end
  wait_again(m)
  note_queue(m.queue)
end
local function release_hold(m)
  call('HDEL', key('task', m.id), F.held)
  m.hold = false
  emit(m.run, 'released', m.id)
  try_ready(m, '')
end
local function set(id, held)
  local m = find(id)
  if not m then return {'missing'} end
  if not HOLDABLE[m.st] then return {'conflict', m.st} end
  if m.batch then return unsettled(m) end
  if held == (m.hold and true or false) then return {'ok', m.st, 0} end
  if held then hold(m) else release_hold(m) end
  return {'ok', m.st, 1}
end
local found = {}
for i = A.tasks.first, A.tasks.last do found[#found + 1] = set(A.tasks[i], A.held ~= '') end
grant_made()
return found
