-- Keeps what was found out about tasks with a deadline: when to look again, that it is over, or that it is at risk.
-- args: term, findings{task, deadline, outcome, late_ms}...
-- returns: {'ok', at risk} | {'stale'}
-- events: deadline_at_risk
-- fields: at_risk
-- deadline: seconds, as it was looked at; one that changed since is looked at anew. outcome: ms of the next look, risk
-- or over. late_ms: by how much it will be late, as far as known.
if outdated(A.term) then return {'stale'} end
local flagged = 0
for i = A.findings.first, A.findings.last, A.findings.width do
  local id, outcome = A.findings[i].task, A.findings[i].outcome
  local m = load(id)
  if not m or outcome == 'over' and C.terminal[m.st] then
    call('ZREM', K.deadlines, id)
  elseif is_open(m.batch) then
    -- Its graph may come to nothing, and its history with it.
    call('ZADD', K.deadlines, 'XX', now + 1000, id)
  elseif m and deadline_of(m.score) == tonumber(A.findings[i].deadline) and not C.terminal[m.st] then
    if outcome ~= 'risk' then
      call('ZADD', K.deadlines, 'XX', outcome, id)
    elseif call('HSETNX', key('task', id), F.at_risk, now) == 1 then
      call('ZREM', K.deadlines, id)
      emit(m.run, 'deadline_at_risk', id, A.findings[i].late_ms)
      flagged = flagged + 1
    end
  end
end
return {'ok', flagged}
