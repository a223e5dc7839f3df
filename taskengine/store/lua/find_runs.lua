-- Finds graphs that meet every filter, newest first; what cannot be told here is found too, for its reader to see.
-- args: after_ms, after_id, limit, name, by, finished
-- returns: {'id ms' of the last that was looked at or '' where there are no more, id, ms ...}
-- fields: run.created, run.name, run.created_by, run.finished
-- after: '' begins with the newest. name, by: '' is any; of a run that notes nobody it is not told who made it.
-- finished: '1' for those without an open task, '0' for the others, '' any.
local function is_wanted(id)
  local v = call('HMGET', key('run', id), F.run.created, F.run.name, F.run.created_by, F.run.finished)
  if not v[1] then return false end
  if A.name ~= '' and v[2] ~= A.name then return false end
  if A.by ~= '' and v[3] and v[3] ~= A.by then return false end
  return A.finished == '' or (v[4] and '1' or '0') == A.finished
end
return find_by_moment(K.graphs, A.after_ms, A.after_id, 0, tonumber(A.limit), is_wanted)
