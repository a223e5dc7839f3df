-- Lets a step wait for time, a moment, a change of variables or a signal.
-- args: term, entry, step, rests_on, revision, timer, moment, limit, on_change, signal
-- returns: {'ok'} | {'stale'} the term | {'changed'} read and decide again | {'missing'}
-- events: step_running
-- fields: frame.revision, signal
-- revision: of the variables that the decision read, or ''. timer: ms from now, moment: ms since 1970, limit: ms after
-- which it is over, or 0. on_change: '1' when each change of a variable asks it, or ''. signal: a name, or ''.
local m, no = decided_step(A.term, A.entry, A.step, A.rests_on)
if not m then return no end
local frame = m.fr or m.id
if A.revision ~= '' and call('HGET', key('frame', frame), F.frame.revision) ~= A.revision then return {'changed'} end
if m.st == T.PENDING then
  if A.on_change ~= '' then call('SADD', key('condition_waiters', frame), m.id) end
  if A.signal ~= '' then
    local place = signal_place(m, A.signal)
    local home = place:match('^[^:]+')
    call('HSET', key('task', m.id), F.signal, A.signal)
    call('SADD', key('inboxes', home), A.signal)
    call('RPUSH', key('signal_waiters', place), m.id)
    if call('EXISTS', key('inbox', place)) == 1 then ask(m.id, '', 'signal') end
  end
end
begin_step(m, tonumber(A.limit))
local timer, moment = tonumber(A.timer), tonumber(A.moment)
if timer > 0 then arm_timer(m, 'step', now + timer) end
if moment > 0 then arm_timer(m, 'moment', moment) end
answered(A.entry)
return {'ok'}
