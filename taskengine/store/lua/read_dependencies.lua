-- What tasks depend on, in the order asked, until the reply holds about a MiB; also of graphs that are not committed.
-- args: tasks...
-- returns: {{over, open or staged, ids it depends on}, or '' when there is no such task ...} maybe fewer than asked
-- fields: status, depends_on, batch, batch.state
-- staged: its graph may still be committed; one that never will be is over.
local found, bytes = {}, 0
local function stands(st, batch)
  if C.terminal[st] then return 'over' end
  local state = batch and call('HGET', key('batch', batch), F.batch.state) or 'committed'
  return state == 'committed' and 'open' or state == 'open' and 'staged' or 'over'
end
for i, id in ipairs(A.tasks) do
  if bytes > 1048576 then return found end
  local v = call('HMGET', key('task', id), F.status, F.depends_on, F.batch)
  found[i] = v[1] and {stands(v[1], v[3]), v[2] or ''} or ''
  bytes = bytes + #(v[2] or '')
end
return found
