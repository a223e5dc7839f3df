-- Reads workflows, or parts of one that have variables of their own, in the order asked, until about a MiB is read.
-- args: workflows...
-- reply workflow: fields, frame, variables, result, pause
-- returns: {workflow, or '' where there is none ...} maybe fewer than asked
-- fields: exec.output
-- Each is a list of 'name', value, ...
local bytes = 0
local function counted(flat)
  for _, word in ipairs(flat) do bytes = bytes + #word end
  return flat
end
local function read_workflow(id)
  local m = load_step(id)
  if not m or not is_workflow(m) or call('EXISTS', key('frame', id)) == 0 then return '' end
  local result = m.att > 0 and call('HGET', key('exec', execution_id(id, m.att)), F.exec.output) or ''
  local scope, record = blocked_by(m)
  bytes = bytes + #result
  return R.workflow{fields = counted(call('HGETALL', key('task', id))), frame = counted(call('HGETALL', key('frame', id))),
    variables = counted(call('HGETALL', key('variables', id))), result = result, pause = scope and {scope, record} or {}}
end
local found = {}
for i, id in ipairs(A.workflows) do
  if bytes > 1048576 then return found end
  found[i] = read_workflow(id)
end
return found
