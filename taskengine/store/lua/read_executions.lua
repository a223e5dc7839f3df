-- Reads the executions of a task, oldest first, the last `most` of them.
-- args: task, most
-- returns: {{execution id, field, value ...} ...} | {} when there is no such task
-- fields: attempts
local att = tonumber(call('HGET', key('task', A.task), F.attempts) or 0)
local found = {}
for n = math.max(1, att - A.most + 1), att do
  local eid = execution_id(A.task, n)
  local fields = call('HGETALL', key('exec', eid))
  if #fields > 0 then
    table.insert(fields, 1, eid)
    found[#found + 1] = fields
  end
end
return found
