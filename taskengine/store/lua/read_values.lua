-- Reads what expressions of a workflow refer to: its context, variables, and how steps stand, with their results.
-- args: frame, names, words...
-- reply values: revision, context, variables, steps
-- returns: values; steps: {{} when there is no such step | {result or '', field, value ...} ...}
-- fields: status, kind, attempts, branch, turns, shown_as, error, error_kind, failed, skipped, frame.revision
-- fields: frame.context, exec.output, exec.large_output
-- names: how many variables; the words are these, then ids of steps. variables: {JSON or '' ...}.
local FIELDS = {F.status, F.kind, F.attempts, F.branch, F.turns, F.shown_as, F.error, F.error_kind, F.failed, F.skipped}
local frame, last = A.frame, A.words.first + A.names - 1
local head = call('HMGET', key('frame', frame), F.frame.revision, F.frame.context)
local values, found = {}, {}
for i = A.words.first, last do values[#values + 1] = call('HGET', key('variables', frame), A.words[i]) or '' end
local function result_of(id, attempt)
  local eid = execution_id(id, attempt)
  local v = call('HMGET', key('exec', eid), F.exec.output, F.exec.large_output)
  return v[1] or v[2] and call('GET', key('payload', eid)) or ''
end
for i = last + 1, A.words.last do
  local v, t = call('HMGET', key('task', A.words[i]), unpack(FIELDS)), {}
  if v[1] then
    t[1] = v[1] == T.COMPLETED and v[3] and result_of(A.words[i], v[3]) or ''
    for j, name in ipairs(FIELDS) do
      if v[j] then
        t[#t + 1] = name
        t[#t + 1] = v[j]
      end
    end
  end
  found[#found + 1] = t
end
return R.values{revision = head[1] or '0', context = head[2] or '', variables = values, steps = found}
