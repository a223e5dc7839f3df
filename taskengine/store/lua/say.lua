-- Keeps a log line and the progress of a running execution, if its token still holds; a repeated line once.
-- args: execution, token, line, most, progress, note
-- returns: {'ok'} | {'fenced'}
-- uses: execution
local e = load_execution(ARGV[1])
if not e or e.st ~= E.RUNNING or e.att ~= tonumber(ARGV[2]) then return {'fenced'} end
if ARGV[3] ~= '' and call('LINDEX', key('logs', e.id), -1) ~= ARGV[3] then
  call('RPUSH', key('logs', e.id), ARGV[3])
  call('LTRIM', key('logs', e.id), -ARGV[4], -1)
end
if ARGV[5] ~= '' then call('HSET', key('exec', e.id), 'pr', ARGV[5], 'prn', ARGV[6]) end
return {'ok'}
