-- Ends a step, with the variables that its outputs set and a result of its own.
-- args: term, entry, step, rests_on, status, note, revision, output, takes, sets, words..., envelope
-- returns: {'ok'} | {'stale'} the term | {'changed'} read and decide again | {'missing'}
-- events: variables_set, step_completed | step_failed | step_cancelled, ready
-- fields: frame.revision, exec.task, exec.attempt, exec.status, exec.agent, exec.started, exec.ended, exec.output
-- fields: attempts
-- revision: of the frame's variables, where the decision read them, or ''. output: JSON, or '' for none of its own.
-- takes: the signal that it takes, as it is stored, or ''.
-- sets: how many variables. words: variable, JSON, ... then field, value, ...
local m, no = decided_step(A.term, A.entry, A.step, A.rests_on)
if not m then return no end
local frame = m.fr or m.id
if A.revision ~= '' and call('HGET', key('frame', frame), F.frame.revision) ~= A.revision then return {'changed'} end
local sets, words, fields = tonumber(A.sets), {}, {}
for i = A.words.first, A.words.first + 2 * sets - 1 do words[#words + 1] = A.words[i] end
for i = A.words.first + 2 * sets, A.words.last do fields[#fields + 1] = A.words[i] end
if not leave_waiting(m, frame, A.takes) then return {'changed'} end
if sets > 0 then set_variables(frame, m.run, words) end
if A.output ~= '' then
  local eid = execution_id(m.id, 1)
  call('HSET', key('exec', eid), F.exec.task, m.id, F.exec.attempt, 1, F.exec.status, E.COMPLETED, F.exec.agent,
    'taskengine', F.exec.started, now, F.exec.ended, now)
  call('HSET', key('exec', eid), F.exec.output, A.output)
  fields[#fields + 1] = F.attempts
  fields[#fields + 1] = 1
end
finish(m, A.status, A.note, unpack(fields))
if A.status == T.COMPLETED and is_workflow(m) then drop_inboxes(m.id) end
answered(A.entry)
grant_made()
return {'ok'}
