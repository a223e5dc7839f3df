-- Reads a workflow, or a part of one that has variables of its own.
-- args: workflow
-- returns: {its fields, those of its frame, variables, result or '', {scope, story} of a pause | {}} | {}
-- uses: step, pause, execution
-- Each is a list of 'name', value, ...
local id = ARGV[1]
local m = load_step(id)
if not m or m.k ~= 'workflow' then return {} end
local result = m.att > 0 and call('HGET', key('exec', execution_id(id, m.att)), 'out') or ''
local scope, story
if is_any_paused() then scope, story = first_paused({'all', 'run:' .. m.run}) end
return {call('HGETALL', key('task', id)), call('HGETALL', key('frame', id)), call('HGETALL', key('vars', id)), result,
  scope and {scope, story} or {}}
