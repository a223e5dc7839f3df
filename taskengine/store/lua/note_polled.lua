-- Keeps what a poller heard of slotless executions that go on: each counts as heard, and is due again later.
-- args: runs{execution, token, next_ms, reference, progress, note}...
-- returns: {'ok' | 'missing' | status of one that is not running or has another token ...}
-- fields: exec.heartbeat, exec.silent_until, exec.progress, exec.progress_note, exec.agent, exec.cancel
-- reference: JSON, '' when it is as before. progress: '' when nobody knows. One whose cancel was asked is due in a second.
local function keep(at)
  local e, why = load_detached(A.runs[at].execution, A.runs[at].token)
  if not e then return why end
  local v = call('HMGET', key('exec', e.id), F.exec.agent, F.exec.heartbeat, F.exec.cancel)
  local fields = {F.exec.progress_note, A.runs[at].note}
  local function set(name, value)
    fields[#fields + 1] = name
    fields[#fields + 1] = value
  end
  if v[2] then set(F.exec.silent_until, now + v[2]) end
  if A.runs[at].progress ~= '' then set(F.exec.progress, A.runs[at].progress) end
  if A.runs[at].reference ~= '' then keep_reference(e, A.runs[at].reference) end
  call('HSET', key('exec', e.id), unpack(fields))
  poll_in(e.id, v[1], v[3] and math.min(1000, A.runs[at].next_ms) or A.runs[at].next_ms)
  return 'ok'
end
local found = {}
for at = A.runs.first, A.runs.last, A.runs.width do found[#found + 1] = keep(at) end
return found
