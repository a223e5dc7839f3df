-- Reads runs, in the order asked: up to 256.
-- args: runs...
-- reply run: created_ms, name, created_by, total, open, finished_ms, first_task
-- returns: {run, or '' when there is no such run ...}
-- fields: run.created, run.name, run.created_by, run.total, run.open, run.finished
-- first task: of a run that began as a lone task, which notes nobody; '' elsewhere.
local function first_of(run)
  local range = call('LINDEX', key('ranges', run), 0)
  if not range then return '' end
  local no = span(range)
  return id_at(no)
end
local found = {}
for i, run in ipairs(A.runs) do
  local v = call('HMGET', key('run', run), F.run.created, F.run.name, F.run.created_by, F.run.total, F.run.open,
    F.run.finished)
  found[i] = ''
  if v[1] then
    found[i] = R.run{created_ms = v[1], name = v[2] or '', created_by = v[3] or '', total = v[4] or '0',
      open = v[5] or '0', finished_ms = v[6] or '', first_task = v[3] and '' or first_of(run)}
  end
end
return found
