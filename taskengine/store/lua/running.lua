-- What the slots run now, 128 leases a call.
-- args: from
-- returns: {from where to go on or -1, {lane, run, agent, capability} ...}
-- uses: pause, execution
local from = tonumber(ARGV[1])
local leases = call('ZRANGE', K.leases, from, from + 127)
local found = {#leases == 128 and from + 128 or -1}
for _, lease in ipairs(leases) do
  local node, slot = lease:match('^(.*)/(.*)$')
  local e = node and held_by(node, slot)
  local m = e and load(e.task)
  if m then found[#found + 1] = {m.lane, m.run, call('HGET', key('exec', e.id), 'ag') or '', capability_of(m)} end
end
return found
