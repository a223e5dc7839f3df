-- Keeps log lines and the progress of a running execution, if its token still holds; a line that came before once.
-- args: execution, token, most, bytes, progress, note, number, line ...
-- returns: {'ok'} | {'fenced'}
-- uses: execution
-- number: of the first line here, counted from 1 in its execution. most, bytes: of lines that are kept; old ones go.
local e = load_execution(ARGV[1])
if not e or e.st ~= E.RUNNING or e.att ~= tonumber(ARGV[2]) then return {'fenced'} end
local silent = call('HGET', key('exec', e.id), 'hbt')
if silent then call('HSET', key('exec', e.id), 'hb', now + silent) end
if ARGV[5] ~= '' then call('HSET', key('exec', e.id), 'pr', ARGV[5], 'prn', ARGV[6]) end
local last = tonumber(ARGV[7]) + #ARGV - 8
if #ARGV < 8 then return {'ok'} end
local v = call('HMGET', key('exec', e.id), 'ln', 'lb')
local taken, bytes = tonumber(v[1] or 0), tonumber(v[2] or 0)
if last <= taken then return {'ok'} end
local logs, count = key('logs', e.id), 0
for i = math.max(8, #ARGV - (last - taken) + 1), #ARGV do
  count = call('RPUSH', logs, ARGV[i])
  bytes = bytes + #ARGV[i]
end
while count > tonumber(ARGV[3]) or (bytes > tonumber(ARGV[4]) and count > 1) do
  bytes = bytes - #call('LPOP', logs)
  count = count - 1
end
call('HSET', key('exec', e.id), 'ln', last, 'lb', bytes)
return {'ok'}
