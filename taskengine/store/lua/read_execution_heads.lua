-- What executions say of themselves, without outcomes and logs, in the order asked.
-- args: executions...
-- returns: {{field, value ...}, or '' when there is none ...}
-- fields: exec.task, exec.attempt, exec.status, exec.node, exec.agent, exec.queued, exec.started, exec.ended
-- fields: exec.deadline, exec.progress, exec.progress_note, exec.error_kind, exec.cancel
local FIELDS = {F.exec.task, F.exec.attempt, F.exec.status, F.exec.node, F.exec.agent, F.exec.queued, F.exec.started,
  F.exec.ended, F.exec.deadline, F.exec.progress, F.exec.progress_note, F.exec.error_kind, F.exec.cancel}
local found = {}
for i, id in ipairs(A.executions) do
  local v = call('HMGET', key('exec', id), unpack(FIELDS))
  local fields = {}
  for j, name in ipairs(FIELDS) do
    if v[j] then
      fields[#fields + 1] = name
      fields[#fields + 1] = v[j]
    end
  end
  found[i] = v[1] and fields or ''
end
return found
