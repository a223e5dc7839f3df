-- What runs now: what the slots have in hand, of 32 leases a call, and then the slotless executions, 128 a call.
-- args: start
-- returns: {from where to go on or -1, {queue, run, agent, capability} ...}
-- fields: exec.agent, exec.task
-- start: 0 at first; behind the leases '~' and a number.
local function row(task, eid)
  local m = load(task)
  return m and {m.queue, m.run, call('HGET', key('exec', eid), F.exec.agent) or '', capability_of(m)}
end
local slotless = tonumber(A.start:match('^~(%d+)$'))
if slotless then
  local ids = call('ZRANGE', K.overdue, slotless, slotless + 127)
  local found = {#ids == 128 and '~' .. slotless + 128 or '-1'}
  for _, eid in ipairs(ids) do
    local task = call('HGET', key('exec', eid), F.exec.task)
    found[#found + 1] = task and row(task, eid) or nil
  end
  return found
end
local from = tonumber(A.start)
local leases = call('ZRANGE', K.leases, from, from + 31)
local rest = call('EXISTS', K.overdue) == 1 and '~0' or '-1'
local found = {#leases == 32 and tostring(from + 32) or rest}
for _, lease in ipairs(leases) do
  local node, slot = lease:match('^(.*)/(.*)$')
  for _, e in ipairs(node and held_by(node, slot) or {}) do
    found[#found + 1] = row(e.task, e.id) or nil
  end
end
return found
