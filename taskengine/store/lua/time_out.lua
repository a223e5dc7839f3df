-- Ends an attempt that is over its deadline: fenced first, then its caller ends the process.
-- args: execution, token, verdict, retry_ms, error, silent, envelope
-- returns: {'ok', task's status} | {'heard'} it spoke since | {'conflict', status} | {'missing'}
-- events: timed_out, retrying | paused | failed | cancelled
-- uses: grant, lose, retry, finish
-- verdict: retry or failed. silent: not '' when it is over because it said nothing for too long.
local e = load_execution(ARGV[1])
if not e then return {'missing'} end
if e.st ~= E.RUNNING or e.att ~= tonumber(ARGV[2]) then return {'conflict', e.st} end
if ARGV[6] ~= '' and tonumber(call('HGET', key('exec', e.id), 'hb') or 0) > now then return {'heard'} end
local m = load(e.task)
end_execution(e, E.TIMED_OUT, 'err', ARGV[5], 'knd', 'timeout')
emit(m.run, 'timed_out', m.id, m.att .. ' ' .. e.node)
if m.cq then
  cancelled_task(m)
elseif ARGV[3] == 'retry' then
  retry_later(m, tonumber(ARGV[4]), ARGV[5], 'timeout')
else
  finish(m, T.FAILED, 'timeout', 'err', ARGV[5], 'knd', 'timeout')
end
note_lanes_of(e.node)
grant_made()
return {'ok', m.st}
