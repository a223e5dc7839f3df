-- Reads log lines of one attempt at a task, until the reply holds about a MiB.
-- args: task, attempt, after, most
-- returns: {'ok', status, latest attempt, attempt, execution, its status or '', number of the first, of the last, traceback, ms ended, line ...} | {'missing'}
-- uses: settle, execution
-- attempt: 0 = the latest that began. after: the number of the last line that is known. Old lines may be gone.
local m = find(ARGV[1])
if not m then return {'missing'} end
local latest = m.att - (m.granted and 1 or 0)
local attempt = tonumber(ARGV[2])
if attempt == 0 then attempt = latest end
local eid = execution_id(m.id, attempt)
local v = call('HMGET', key('exec', eid), 'st', 'ln', 'tb', 'tbl', 'e')
local last = tonumber(v[2] or 0)
local oldest = last - call('LLEN', key('logs', eid)) + 1
local first = math.max(tonumber(ARGV[3]) + 1, oldest)
local found = {'ok', m.st, latest, attempt, eid, v[1] or '', first, last, v[3] or v[4] or '', v[5] or ''}
local bytes, at, left = 0, first, tonumber(ARGV[4])
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
