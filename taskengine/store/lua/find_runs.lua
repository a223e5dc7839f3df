-- Finds graphs that meet every filter, newest first; what cannot be told here is found too, for its reader to see.
-- args: after_ms, after_id, limit, name, by, finished
-- returns: {'id ms' of the last that was looked at or '' where there are no more, id, ms ...}
-- fields: run.created, run.name, run.created_by, run.finished
-- after: '' begins with the newest. name, by: '' is any; of a run that notes nobody it is not told who made it.
-- finished: '1' for those without an open task, '0' for the others, '' any.
-- A call looks at 1024 runs, or for 5 ms.
local MOST, PIECE, MOST_SECONDS = 1024, 128, 0.005
local began, limit, at = os.clock(), tonumber(A.limit), 0
-- By its place, for many graphs may be of one millisecond; by its moment where it is gone meanwhile.
if A.after_ms ~= '' then
  local rank = call('ZREVRANK', K.graphs, A.after_id)
  at = rank and rank + 1 or call('ZCOUNT', K.graphs, '(' .. A.after_ms, '+inf')
end
local function is_behind(id, ms)
  if A.after_ms == '' then return true end
  return ms < tonumber(A.after_ms) or ms == tonumber(A.after_ms) and id < A.after_id
end
local function is_wanted(id)
  local v = call('HMGET', key('run', id), F.run.created, F.run.name, F.run.created_by, F.run.finished)
  if not v[1] then return false end
  if A.name ~= '' and v[2] ~= A.name then return false end
  if A.by ~= '' and v[3] and v[3] ~= A.by then return false end
  return A.finished == '' or (v[4] and '1' or '0') == A.finished
end
local found, looked = {''}, 0
while true do
  local piece = call('ZREVRANGE', K.graphs, at, at + PIECE - 1, 'WITHSCORES')
  for i = 1, #piece, 2 do
    local id, ms = piece[i], tonumber(piece[i + 1])
    if is_behind(id, ms) and is_wanted(id) then
      found[#found + 1] = id
      found[#found + 1] = piece[i + 1]
    end
    if #found > 2 * limit then
      found[1] = id .. ' ' .. piece[i + 1]
      return found
    end
  end
  if #piece < 2 * PIECE then return found end
  at, looked = at + PIECE, looked + PIECE
  if looked >= MOST or os.clock() - began > MOST_SECONDS then
    found[1] = piece[#piece - 1] .. ' ' .. piece[#piece]
    return found
  end
end
