-- How steps of a workflow stand, tasks among them.
-- args: tasks...
-- returns: {'' when there is no such step | {field, value ...} ...}
-- fields: status, kind, path, queue, attempts, granted, created, ready, started, finished, error, error_kind, reason
-- fields: due, waiting, failed, skipped, planned, placed, branch, turns, shown_as, clocks, parked, culprit, held, question
local FIELDS = {F.status, F.kind, F.path, F.queue, F.attempts, F.granted, F.created, F.ready, F.started, F.finished,
  F.error, F.error_kind, F.reason, F.due, F.waiting, F.failed, F.skipped, F.planned, F.placed, F.branch, F.turns,
  F.shown_as, F.clocks, F.parked, F.culprit, F.held, F.question}
local found = {}
for i, id in ipairs(A.tasks) do
  local v, t = call('HMGET', key('task', id), unpack(FIELDS)), {}
  for j, name in ipairs(FIELDS) do
    if v[j] then
      t[#t + 1] = name
      t[#t + 1] = v[j]
    end
  end
  found[i] = v[1] and t or ''
end
return found
