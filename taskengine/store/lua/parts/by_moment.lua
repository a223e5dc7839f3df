-- Lists of members by their moments, newest first: runs, workflows, dead letters.

-- A call looks at 1024 members, or for 5 ms.
local MOST_MEMBERS, MEMBERS_AT_ONCE, MEMBERS_SECONDS = 1024, 128, 0.005
-- The rank behind a member: by its place, for many may be of one moment; by its moment where it is gone or moved.
local function rank_behind(set, ms, id)
  if ms == '' then return 0 end
  local at = call('ZSCORE', set, id)
  if at and tonumber(at) == tonumber(ms) then return call('ZREVRANK', set, id) + 1 end
  return call('ZCOUNT', set, '(' .. ms, '+inf')
end
-- Those behind a member ('' begins with the newest), from `since` on, that are wanted: {'id ms' of the last one that was
-- looked at or '' where there are no more, id, ms ...}, up to `limit`.
local function find_by_moment(set, after_ms, after_id, since, limit, is_wanted)
  local began, at, looked, found = os.clock(), rank_behind(set, after_ms, after_id), 0, {''}
  local after = tonumber(after_ms)
  while true do
    local piece = call('ZREVRANGE', set, at, at + MEMBERS_AT_ONCE - 1, 'WITHSCORES')
    for i = 1, #piece, 2 do
      local id, ms = piece[i], tonumber(piece[i + 1])
      if ms < since then return found end
      local is_behind = not after or ms < after or ms == after and id < after_id
      if is_behind and is_wanted(id) then
        found[#found + 1] = id
        found[#found + 1] = piece[i + 1]
      end
      if #found > 2 * limit then
        found[1] = id .. ' ' .. piece[i + 1]
        return found
      end
    end
    if #piece < 2 * MEMBERS_AT_ONCE then return found end
    at, looked = at + MEMBERS_AT_ONCE, looked + MEMBERS_AT_ONCE
    if looked >= MOST_MEMBERS or os.clock() - began > MEMBERS_SECONDS then
      found[1] = piece[#piece - 1] .. ' ' .. piece[#piece]
      return found
    end
  end
end
