-- Finds workflows that meet every filter, newest first.
-- args: after_ms, after_id, limit, name, by, status
-- returns: {'id ms' of the last that was looked at or '' where there are no more, id, ms ...}
-- fields: run.name, run.created_by, status, end_as, run, queue
-- after: '' begins with the newest. name, by, status: '' is any. A status is what a workflow shows, not its first step:
-- what is not over is also cancelling, or paused with its run.
local function stands(id)
  local v = call('HMGET', key('task', id), F.status, F.end_as, F.run, F.queue)
  if not v[1] or C.terminal[v[1]] then return v[1] end
  if v[2] == T.CANCELLED then return 'cancelling' end
  return blocked_by({id = id, run = v[3], queue = v[4]}) and T.PAUSED or v[1]
end
local function is_wanted(id)
  if A.name ~= '' or A.by ~= '' then
    local v = call('HMGET', key('run', id), F.run.name, F.run.created_by)
    if A.name ~= '' and v[1] ~= A.name or A.by ~= '' and v[2] ~= A.by then return false end
  end
  return A.status == '' or stands(id) == A.status
end
return find_by_moment(K.workflows, A.after_ms, A.after_id, 0, tonumber(A.limit), is_wanted)
