-- Reads outputs of executions, in the order asked, until the reply holds about a MiB.
-- args: executions...
-- returns: {output JSON, or '' when there is none or it is large ...} maybe fewer than asked
-- fields: exec.output
local found, bytes = {}, 0
for i, id in ipairs(A.executions) do
  if bytes > 1048576 then return found end
  found[i] = call('HGET', key('exec', id), F.exec.output) or ''
  bytes = bytes + #found[i]
end
return found
