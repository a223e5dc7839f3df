-- Reads items of a map.
-- args: step, indexes...
-- returns: {JSON or '' ...}
local found = {}
for i = A.indexes.first, A.indexes.last do found[#found + 1] = call('HGET', key('items', A.step), A.indexes[i]) or '' end
return found
