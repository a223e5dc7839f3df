-- What decisions about steps need: each with its counters and its frame, and how the child in question stands.
-- args: steps{step, because}...
-- reply step: revision, fields, frame, because, pause, signal
-- returns: {'' when there is no such step | step ...}
-- Fields are 'name', value, ...
-- fields: status, run, queue, score, waiting, failed, skipped, name, end_reason, clocks, retrying, error, cancel, doc
-- fields: signal, frame.workflow, frame.definition, frame.revision, frame.path, path, failed_before, closed_by
-- fields: error_kind, reason, parent, culprit, timeout
local function read_fields(name, ...)
  local found = {}
  for i, value in ipairs(call('HMGET', name, ...)) do
    if value then
      found[#found + 1] = select(i, ...)
      found[#found + 1] = value
    end
  end
  return found
end
local function look(id, because)
  local m = load_step(id)
  if not m then return '' end
  local scope, record = blocked_by(m)
  local own = read_fields(key('task', id), F.status, F.run, F.queue, F.score, F.waiting, F.failed, F.skipped, F.name,
    F.end_reason, F.clocks, F.retrying, F.error, F.cancel, F.doc, F.timeout, unpack(STEP_FIELDS))
  own[#own + 1] = 'pieces'
  own[#own + 1] = call('LLEN', key('children', id))
  local frame = m.queue ~= '%w' and m.fr or id
  local signal = call('HGET', key('task', id), F.signal)
  signal = signal and call('LINDEX', key('inbox', signal_place(m, signal)), 0)
  return R.step{revision = rests_on(m), fields = own,
    frame = read_fields(key('frame', frame), F.frame.workflow, F.frame.definition, F.frame.revision,
      F.frame.path),
    because = read_fields(key('task', because), F.status, F.name, F.path, F.failed_before, F.closed_by, F.error,
      F.error_kind, F.reason, F.parent, F.culprit), pause = scope and {scope, record} or {},
    signal = signal or ''}
end
local found = {}
for i = A.steps.first, A.steps.last, A.steps.width do
  found[#found + 1] = look(A.steps[i].step, A.steps[i].because)
end
return found
