-- Reads whole tasks, in the order asked, until the reply holds about a MiB.
-- args: task ...
-- returns: {{field, value ...}, or '' when there is no such task ...} maybe fewer than asked
-- uses: task, pause, offer
-- A READY task says in the field 'offers' how many live nodes offer its lane, and what waits says in 'paused' the
-- scope and the story of the pause that it feels.
local WAITS = {[T.READY] = true, [T.PENDING] = true, [T.RETRYING] = true}
local found, offered, bytes = {}, {}, 0
for i, id in ipairs(ARGV) do
  if bytes > 1048576 then return found end
  local fields = call('HGETALL', key('task', id))
  local t = {}
  for j = 1, #fields, 2 do
    t[fields[j]] = fields[j + 1]
    bytes = bytes + #fields[j + 1]
  end
  if not t.st or t.del or is_open(t.batch) or (is_unseen(t) and t.k ~= 'workflow') then
    found[i] = ''
  else
    if t.st == T.READY and not t.park and not t.g then
      offered[t.lane] = offered[t.lane] or offering(t.lane)
      fields[#fields + 1] = 'offers'
      fields[#fields + 1] = tostring(offered[t.lane])
    end
    local scope, story
    if is_any_paused() and WAITS[t.st] then
      scope, story = pause_of({id = ARGV[i], run = t.run, lane = t.lane, doc = t.doc})
    end
    if scope then
      fields[#fields + 1] = 'paused'
      fields[#fields + 1] = scope .. ' ' .. story
    end
    found[i] = fields
  end
end
return found
