-- Finds tasks that lost one worker after another, the last given up first.
-- args: after_ms, after_id, since, limit, capability
-- returns: {'id ms' of the last that was looked at or '' where there are no more, id, ms ...}
-- fields: queue
-- after: '' begins with the newest. since: none that was given up before. capability: '' is any.
local function is_wanted(id)
  if A.capability == '' then return true end
  local queue = call('HGET', key('task', id), F.queue)
  return queue and capability_of({id = id, queue = queue}) == A.capability
end
return find_by_moment(K.dead, A.after_ms, A.after_id, tonumber(A.since), tonumber(A.limit), is_wanted)
