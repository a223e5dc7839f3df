-- Reads the executions of a task, oldest first, the last `most` of them.
-- args: task, most
-- returns: {{execution id, field, value ...} ...} | {} when there is no such task
-- uses: execution
local att = tonumber(call('HGET', key('task', ARGV[1]), 'att') or 0)
local found = {}
for n = math.max(1, att - ARGV[2] + 1), att do
  local eid = execution_id(ARGV[1], n)
  local fields = call('HGETALL', key('exec', eid))
  if #fields > 0 then
    table.insert(fields, 1, eid)
    found[#found + 1] = fields
  end
end
return found
