-- Reads what the shape of a graph is made of, in the order asked, until the reply holds about a MiB.
-- args: task ...
-- returns: {{status, run, created ms, name, ids it depends on}, or '' when there is no such task ...} maybe fewer than asked
-- uses: task
local found, bytes = {}, 0
for i, id in ipairs(ARGV) do
  if bytes > 1048576 then return found end
  local v = call('HMGET', key('task', id), 'st', 'run', 'cr', 'nm', 'on', 'batch')
  if not v[1] or is_open(v[6]) then
    found[i] = ''
  else
    found[i] = {v[1], v[2], v[3] or '', v[4] or '', v[5] or ''}
    bytes = bytes + #found[i][4] + #found[i][5]
  end
end
return found
