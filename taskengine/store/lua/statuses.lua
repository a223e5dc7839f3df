-- Status of tasks, in the order asked; '' where there is no such task.
-- args: task ...
-- returns: {status or '' ...}
-- uses: task
local found = {}
for i, id in ipairs(ARGV) do
  local v = call('HMGET', key('task', id), 'st', 'batch', 'del')
  found[i] = v[1] and not v[3] and not is_open(v[2]) and v[1] or ''
end
return found
