-- How steps of a workflow stand, tasks among them.
-- args: task ...
-- returns: {'' when there is no such step | {field, value ...} ...}
-- uses: clock
local FIELDS = {'st', 'k', 'p', 'lane', 'att', 'g', 'cr', 'rdy', 'sta', 'fin', 'err', 'knd', 'rsn', 'due', 'w', 'f', 'c', 'tot', 'x',
  'br', 'n', 'as', 'at', 'park', 'cul', 'hold'}
local found = {}
for i, id in ipairs(ARGV) do
  local v, t = call('HMGET', key('task', id), unpack(FIELDS)), {}
  for j, name in ipairs(FIELDS) do
    if v[j] then
      t[#t + 1] = name
      t[#t + 1] = v[j]
    end
  end
  found[i] = v[1] and t or ''
end
return found
