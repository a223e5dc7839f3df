-- Reads runs, in the order asked: up to 256.
-- args: run ...
-- returns: {{created ms, name, created by, tasks, open ones, finished ms or '', its first task or ''}, or '' when there is no such run ...}
-- uses: span
-- first task: of a run that began as a lone task, which notes nobody; '' elsewhere.
local function first_of(run)
  local range = call('LINDEX', key('ranges', run), 0)
  if not range then return '' end
  local no = span(range)
  return id_at(no)
end
local found = {}
for i, run in ipairs(ARGV) do
  local v = call('HMGET', key('run', run), 'cr', 'nm', 'by', 'total', 'open', 'fin')
  found[i] = ''
  if v[1] then
    found[i] = {v[1], v[2] or '', v[3] or '', v[4] or '0', v[5] or '0', v[6] or '', v[3] and '' or first_of(run)}
  end
end
return found
