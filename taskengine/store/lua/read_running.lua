-- What the slots have in hand now, of 32 leases a call.
-- args: start
-- returns: {from where to go on or -1, {queue, run, agent, capability} ...}
-- fields: exec.agent
local from = tonumber(A.start)
local leases = call('ZRANGE', K.leases, from, from + 31)
local found = {#leases == 32 and from + 32 or -1}
for _, lease in ipairs(leases) do
  local node, slot = lease:match('^(.*)/(.*)$')
  for _, e in ipairs(node and held_by(node, slot) or {}) do
    local m = load(e.task)
    if m then
      found[#found + 1] = {m.queue, m.run, call('HGET', key('exec', e.id), F.exec.agent) or '', capability_of(m)}
    end
  end
end
return found
