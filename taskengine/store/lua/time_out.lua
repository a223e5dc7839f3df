-- Ends an attempt that is over its deadline: fenced first, then its caller ends the process.
-- args: execution, token, disposition, retry_ms, error, silent, envelope
-- returns: {'ok', task's status} | {'heard'} it spoke since | {'conflict', status} | {'missing'}
-- events: timed_out, retrying | paused | failed | cancelled
-- fields: error, error_kind, exec.silent_until, exec.error, exec.error_kind, exec.agent
-- disposition: retry or failed. silent: not '' when it is over because it said nothing for too long.
local e = load_execution(A.execution)
if not e then return {'missing'} end
if e.st ~= E.RUNNING or e.att ~= tonumber(A.token) then return {'conflict', e.st} end
if A.silent ~= '' and tonumber(call('HGET', key('exec', e.id), F.exec.silent_until) or 0) > now then
  return {'heard'}
end
local m = load(e.task)
end_execution(e, E.TIMED_OUT, F.exec.error, A.error, F.exec.error_kind, 'timeout')
if e.hold then judge(call('HGET', key('exec', e.id), F.exec.agent), 'timeout', A.error, e.was_probe, e.node) end
emit(m.run, 'timed_out', m.id, m.att .. ' ' .. e.node)
if m.cq then
  cancelled_task(m)
elseif A.disposition == 'retry' then
  retry_later(m, tonumber(A.retry_ms), A.error, 'timeout')
else
  finish(m, T.FAILED, 'timeout', F.error, A.error, F.error_kind, 'timeout')
end
note_queues_of(e.node)
grant_made()
return {'ok', m.st}
