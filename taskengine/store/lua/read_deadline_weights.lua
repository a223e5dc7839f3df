-- What the time until a task is done depends on.
-- args: tasks...
-- reply weight: status, queue, name, given_ms, started_ms, due_ms, score, position, depends_on
-- returns: {weight | {} ...}
-- fields: status, queue, name, estimate, started, due, score, arrival, depends_on
-- position: how many stand before it in its queue. Of ids it depends on, 256 at most.
local function weight(id)
  local v = call('HMGET', key('task', id), F.status, F.queue, F.name, F.estimate, F.started, F.due, F.score,
    F.arrival, F.depends_on)
  if not v[1] then return {} end
  local position = v[1] == T.READY and call('ZRANK', key('ready', v[2]), string.format('%012d', v[8]) .. id)
  return R.weight{status = v[1], queue = v[2], name = v[3] or '', given_ms = v[4] or '', started_ms = v[5] or '',
    due_ms = v[6] or '', score = v[7], position = position or -1, depends_on = (v[9] or ''):sub(1, 256 * 37 - 1)}
end
local found = {}
for i, id in ipairs(A.tasks) do found[i] = weight(id) end
return found
