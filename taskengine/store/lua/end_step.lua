-- Ends a step, with the variables that its outputs set and a result of its own.
-- args: term, entry, step, rests on, status, note, revision, output, sets, word ..., envelope
-- returns: {'ok'} | {'stale'} the term | {'changed'} read and decide again | {'missing'}
-- events: variables_set, step_completed | step_failed | step_cancelled, ready
-- uses: step, grant, finish, execution, variables
-- revision: of the frame's variables, where the decision read them, or ''. output: JSON, or '' for none of its own.
-- sets: how many variables. words: variable, JSON, ... then field, value, ...
local m, no = decided_step(ARGV[1], ARGV[2], ARGV[3], ARGV[4])
if not m then return no end
local frame = m.fr or m.id
if ARGV[7] ~= '' and call('HGET', key('frame', frame), 'vr') ~= ARGV[7] then return {'changed'} end
local sets, words, fields = tonumber(ARGV[9]), {}, {}
for i = 10, 9 + 2 * sets do words[#words + 1] = ARGV[i] end
for i = 10 + 2 * sets, #ARGV - 1 do fields[#fields + 1] = ARGV[i] end
if sets > 0 then set_variables(frame, m.run, words) end
if ARGV[8] ~= '' then
  local eid = execution_id(m.id, 1)
  call('HSET', key('exec', eid), 'task', m.id, 'att', 1, 'st', E.COMPLETED, 'ag', 'taskengine', 's', now, 'e', now)
  call('HSET', key('exec', eid), 'out', ARGV[8])
  fields[#fields + 1] = 'att'
  fields[#fields + 1] = 1
end
finish(m, ARGV[5], ARGV[6], unpack(fields))
answered(ARGV[2])
grant_made()
return {'ok'}
