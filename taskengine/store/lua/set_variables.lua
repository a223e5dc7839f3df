-- Sets variables of a workflow on a client's word.
-- args: workflow, revision, words...
-- returns: {'ok', new revision} | {'changed', revision} | {'conflict', status} | {'missing'}
-- events: variables_set
-- fields: frame.revision
-- revision: the one that the client saw, or ''. words: name, JSON, ...
local m = load_step(A.workflow)
if not m or not (is_workflow(m) or m.k == 'sub_workflow') then return {'missing'} end
if C.terminal[m.st] then return {'conflict', m.st} end
-- What a task or a step runs has none before it begins.
if call('EXISTS', key('frame', m.id)) == 0 then return {'conflict', m.st} end
local revision = call('HGET', key('frame', m.id), F.frame.revision)
if A.revision ~= '' and A.revision ~= revision then return {'changed', revision} end
local words = {}
for i = A.words.first, A.words.last do words[#words + 1] = A.words[i] end
return {'ok', set_variables(m.id, m.run, words)}
