-- Reads what the shape of a graph is made of, in the order asked, until the reply holds about a MiB.
-- args: tasks...
-- reply graph_node: status, run_id, created_ms, name, depends_on
-- returns: {graph_node, or '' when there is no such task ...} maybe fewer than asked
-- fields: status, run, created, name, depends_on, batch
local found, bytes = {}, 0
for i, id in ipairs(A.tasks) do
  if bytes > 1048576 then return found end
  local v = call('HMGET', key('task', id), F.status, F.run, F.created, F.name, F.depends_on, F.batch)
  if not v[1] or is_open(v[6]) then
    found[i] = ''
  else
    found[i] = R.graph_node{status = v[1], run_id = v[2], created_ms = v[3] or '', name = v[4] or '',
      depends_on = v[5] or ''}
    bytes = bytes + #found[i][4] + #found[i][5]
  end
end
return found
