-- Ids by arrival number.
-- uses: clock
local FORMAT = '%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x'
-- The id at a place of raw ids, 0 the first.
local function id_of(raw, place)
  return string.format(FORMAT, raw:byte(place * 16 + 1, place * 16 + 16))
end
-- Raw ids of some arrivals of one segment; shorter where arrivals are to come.
local function ids_from(no, count)
  local seg = math.floor(no / 4096)
  local at = (no - seg * 4096) * 16
  return call('GETRANGE', key('ids', seg), at, at + 16 * count - 1)
end
local function id_at(no)
  local raw = ids_from(no, 1)
  if #raw < 16 then return '' end
  return id_of(raw, 0)
end
-- Raw ids of some arrivals, also across the end of a segment.
local function ids_of(first, count)
  local fits = math.min(count, 4096 - first % 4096)
  if fits == count then return ids_from(first, count) end
  return ids_from(first, fits) .. ids_from(first + fits, count - fits)
end
local function span(text)
  local first, count = text:match('(%d+):(%d+)')
  return tonumber(first), tonumber(count)
end
