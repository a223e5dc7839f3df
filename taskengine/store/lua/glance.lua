-- What executions say of themselves, without outcomes and logs, in the order asked.
-- args: execution ...
-- returns: {{field, value ...}, or '' when there is none ...}
-- uses: clock
local FIELDS = {'task', 'att', 'st', 'node', 'ag', 'q', 's', 'e', 'dl', 'pr', 'prn', 'knd', 'cq'}
local found = {}
for i, id in ipairs(ARGV) do
  local v = call('HMGET', key('exec', id), unpack(FIELDS))
  local fields = {}
  for j, name in ipairs(FIELDS) do
    if v[j] then
      fields[#fields + 1] = name
      fields[#fields + 1] = v[j]
    end
  end
  found[i] = v[1] and fields or ''
end
return found
