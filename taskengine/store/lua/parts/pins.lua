-- A task that is not over keeps its parents in other runs by a pin on each: taken off at its end, put on again when it
-- is opened again, as many parents as a script may touch; a cursor keeps the place.
-- fields: depends_on, pinning
-- uses: clock, task
-- What a script may still touch, of parents and dependents together.
local left = 256
-- The parents at [from, from + left) of a task's list of ids, 37 letters each, and whether these are the last ones.
local function parents_piece(on, from)
  local piece = on:sub(from * 37 + 1, (from + left) * 37)
  local n = math.floor((#piece + 1) / 37)
  left = left - n
  return piece, from + n, (from + n) * 37 >= #on
end
-- Whether all parents heard; if not, the rest goes on at a cursor.
local function tell_parents(id, run, over, from)
  local piece, cursor, all = parents_piece(call('HGET', key('task', id), F.depends_on) or '', from)
  for d in piece:gmatch('%S+') do
    if over then unpin(d, run) else pin(d, run) end
  end
  if not all then
    call('HSET', key('task', id), F.pinning, cursor)
    call('ZADD', K.releases, now, id)
  end
  return all
end
