-- Finds tasks whose ids begin alike, in the raw ids of their arrivals: the newest segment of 4096 first.
-- args: start, raw, half, limit
-- returns: {'ok', arrival to go on at or -1, id ...}
-- fields: arrival, deleting, batch
-- raw: the bytes that they begin with; half: the upper half of the byte behind these, 0 to 15, or ''. start: -1 is the end.
-- A call reads a mebibyte of ids, or passes by 1024 segments that hold none any more, and looks at 256 tasks at most.
local MOST_READ, MOST_LOOKS, FULL = 1024, 256, 64
local from, raw, half, limit = tonumber(A.start), A.raw, tonumber(A.half), tonumber(A.limit)
local found, looks = {'ok', -1}, 0
-- Ids stay where a task was, or was not stored because it had a twin.
local function is_there(id, no)
  looks = looks + 1
  local v = call('HMGET', key('task', id), F.arrival, F.deleting, F.batch)
  return tonumber(v[1]) == no and not v[2] and not is_open(v[3])
end
-- Searches a segment from a place on; the place to go on at when this call may do no more. A hit between two places
-- leads to the next one: ids of zeros alone are no more work than others.
local function search(seg, ids, place)
  local at = ids:find(raw, place * 16 + 1, true)
  while at do
    place = math.floor((at - 1) / 16)
    if at == place * 16 + 1 and (not half or math.floor(ids:byte(at + #raw) / 16) == half) then
      if #found - 2 >= limit or looks >= MOST_LOOKS then return place end
      local id = id_of(ids, place)
      if is_there(id, seg * 4096 + place) then found[#found + 1] = id end
    end
    at = ids:find(raw, place * 16 + 17, true)
  end
end
if from < 0 then from = math.floor(tonumber(call('GET', K.arrivals) or 0) / 4096) * 4096 end
local read = 0
while from >= 0 and read < MOST_READ do
  local seg = math.floor(from / 4096)
  local ids = call('GET', key('ids', seg))
  read = read + (ids and FULL or 1)
  local place = ids and search(seg, ids, from - seg * 4096)
  if place then
    found[2] = seg * 4096 + place
    return found
  end
  from = (seg - 1) * 4096
end
found[2] = math.max(from, -1)
return found
