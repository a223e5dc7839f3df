-- Ids by arrival number.
-- uses: clock
local FORMAT = '%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x'
local function id_of(raw)
  return string.format(FORMAT, raw:byte(1, 16))
end
local function id_at(no)
  local seg = math.floor(no / 4096)
  local at = (no - seg * 4096) * 16
  local raw = call('GETRANGE', key('ids', seg), at, at + 15)
  if #raw < 16 then return '' end
  return id_of(raw)
end
local function span(text)
  local first, count = text:match('(%d+):(%d+)')
  return tonumber(first), tonumber(count)
end
