-- What hosts have of each resource, and what of it is reserved; some a call.
-- args: start
-- reply host: name, total, used, executions, nodes, kept
-- returns: {name to go on behind or '', host ...} in the order of names
-- start: '' at first. total, used: 'NAME=milli,...'. kept: the only park whose tasks may reserve something of it, or ''.
local names, found, last = call('HKEYS', K.hosts), {''}, nil
table.sort(names)
for _, name in ipairs(names) do
  if #found == 33 then
    found[1] = last
    break
  end
  local h = name > A.start and load_host(name)
  last = h and name or last
  found[#found + 1] = h and R.host{name = name, total = amount_words(h.total), used = amount_words(h.used),
    executions = call('HLEN', key('reserved', name)), nodes = call('SCARD', key('host_nodes', name)), kept = h.kept or ''} or nil
end
return found
