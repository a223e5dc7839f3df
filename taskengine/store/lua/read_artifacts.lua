-- What executions left beside their results, without the bytes.
-- args: executions...
-- returns: {{name, record ...} ...}
local found = {}
for i, id in ipairs(A.executions) do found[i] = call('HGETALL', key('artifacts', id)) end
return found
