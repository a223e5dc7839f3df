-- Keeps log lines and the progress of a running execution, if its token still holds; a line that came before once.
-- args: execution, token, most, bytes, progress, note, number, lines...
-- returns: {'ok'} | {'fenced'}
-- fields: exec.heartbeat, exec.silent_until, exec.progress, exec.progress_note, exec.log_lines, exec.log_bytes
-- number: of the first line here, counted from 1 in its execution. most, bytes: of lines that are kept; old ones go.
local e = load_execution(A.execution)
if not e or e.st ~= E.RUNNING or e.att ~= tonumber(A.token) then return {'fenced'} end
local silent = call('HGET', key('exec', e.id), F.exec.heartbeat)
if silent then call('HSET', key('exec', e.id), F.exec.silent_until, now + silent) end
if A.progress ~= '' then call('HSET', key('exec', e.id), F.exec.progress, A.progress, F.exec.progress_note, A.note) end
local last = tonumber(A.number) + A.lines.last - A.lines.first
if A.lines.last < A.lines.first then return {'ok'} end
local v = call('HMGET', key('exec', e.id), F.exec.log_lines, F.exec.log_bytes)
local taken, bytes = tonumber(v[1] or 0), tonumber(v[2] or 0)
if last <= taken then return {'ok'} end
local logs, count = key('logs', e.id), 0
for i = math.max(A.lines.first, A.lines.last - (last - taken) + 1), A.lines.last do
  count = call('RPUSH', logs, A.lines[i])
  bytes = bytes + #A.lines[i]
end
while count > tonumber(A.most) or (bytes > tonumber(A.bytes) and count > 1) do
  bytes = bytes - #call('LPOP', logs)
  count = count - 1
end
call('HSET', key('exec', e.id), F.exec.log_lines, last, F.exec.log_bytes, bytes)
return {'ok'}
