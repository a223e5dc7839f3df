-- Status of tasks, in the order asked; '' where there is no such task.
-- args: task ...
-- returns: {status or '' ...}
-- uses: task
local found = {}
for i, id in ipairs(ARGV) do
  local v = call('HMGET', key('task', id), 'st', 'batch')
  local hidden = v[2] and call('HGET', key('batch', v[2]), 'state') ~= 'committed'
  found[i] = (v[1] and not hidden) and v[1] or ''
end
return found
