-- Reads log lines of one attempt at a task, until the reply holds about a MiB.
-- args: task, attempt, after, most
-- reply logs: word, status, latest, attempt, execution_id, execution_status, first, last, traceback, ended_ms
-- returns: {logs, line ...} | {'missing'}
-- fields: exec.status, exec.log_lines, exec.traceback, exec.last_frame, exec.ended
-- attempt: 0 = the latest that began. after: the number of the last line that is known. Old lines may be gone.
local m = find(A.task)
if not m then return {'missing'} end
local latest = m.att - (m.granted and 1 or 0)
local attempt = tonumber(A.attempt)
if attempt == 0 then attempt = latest end
local eid = execution_id(m.id, attempt)
local v = call('HMGET', key('exec', eid), F.exec.status, F.exec.log_lines, F.exec.traceback, F.exec.last_frame,
  F.exec.ended)
local last = tonumber(v[2] or 0)
local oldest = last - call('LLEN', key('logs', eid)) + 1
local first = math.max(tonumber(A.after) + 1, oldest)
local found = R.logs{word = 'ok', status = m.st, latest = latest, attempt = attempt, execution_id = eid,
  execution_status = v[1] or '', first = first, last = last, traceback = v[3] or v[4] or '', ended_ms = v[5] or ''}
local bytes, at, left = 0, first, tonumber(A.most)
while bytes < 1048576 and left > 0 and at <= last do
  local lines = call('LRANGE', key('logs', eid), at - oldest, at - oldest + math.min(8, left) - 1)
  if #lines == 0 then return found end
  for _, line in ipairs(lines) do
    found[#found + 1] = line
    bytes = bytes + #line
  end
  at, left = at + #lines, left - #lines
end
return found
