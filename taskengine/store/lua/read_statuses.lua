-- Status of tasks, in the order asked; '' where there is no such task.
-- args: tasks...
-- returns: {status or '' ...}
-- fields: status, batch, deleting
local found = {}
for i, id in ipairs(A.tasks) do
  local v = call('HMGET', key('task', id), F.status, F.batch, F.deleting)
  found[i] = v[1] and not v[3] and not is_open(v[2]) and v[1] or ''
end
return found
