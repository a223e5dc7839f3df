-- Reads a workflow, or a part of one that has variables of its own.
-- args: workflow
-- reply workflow: fields, frame, variables, result, pause
-- returns: workflow | {}
-- fields: exec.output
-- Each is a list of 'name', value, ...
local id = A.workflow
local m = load_step(id)
if not m or not is_workflow(m) or call('EXISTS', key('frame', id)) == 0 then return {} end
local result = m.att > 0 and call('HGET', key('exec', execution_id(id, m.att)), F.exec.output) or ''
local scope, record = blocked_by(m)
return R.workflow{fields = call('HGETALL', key('task', id)), frame = call('HGETALL', key('frame', id)),
  variables = call('HGETALL', key('variables', id)), result = result, pause = scope and {scope, record} or {}}
