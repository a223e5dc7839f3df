-- Reads whole tasks, in the order asked, until the reply holds about a MiB.
-- args: tasks...
-- returns: {{field, value ...}, or '' when there is no such task ...} maybe fewer than asked
-- fields: status, deleting, batch, parked, granted, queue, run, doc
-- A READY task says in the field 'offers' how many live nodes offer its queue, and what waits says in 'paused' the
-- scope and the record of the pause that it feels.
local WAITS = {[T.READY] = true, [T.PENDING] = true, [T.RETRYING] = true}
local found, offered, bytes = {}, {}, 0
for i, id in ipairs(A.tasks) do
  if bytes > 1048576 then return found end
  local fields = call('HGETALL', key('task', id))
  local t = {}
  for j = 1, #fields, 2 do
    t[fields[j]] = fields[j + 1]
    bytes = bytes + #fields[j + 1]
  end
  if not t[F.status] or t[F.deleting] or is_open(t[F.batch]) or (is_unseen(t) and t.k ~= 'workflow') then
    found[i] = ''
  else
    if t[F.status] == T.READY and not t[F.parked] and not t[F.granted] then
      offered[t[F.queue]] = offered[t[F.queue]] or offering(t[F.queue])
      fields[#fields + 1] = 'offers'
      fields[#fields + 1] = tostring(offered[t[F.queue]])
    end
    local scope, record
    if WAITS[t[F.status]] then
      scope, record = blocked_by({id = A.tasks[i], run = t[F.run], queue = t[F.queue], doc = t[F.doc]})
    end
    if scope then
      fields[#fields + 1] = 'paused'
      fields[#fields + 1] = scope .. ' ' .. record
    end
    found[i] = fields
  end
end
return found
