-- Counts the tasks of runs by status, from the codes of their arrivals: 128 ranges a call.
-- args: start, runs...
-- returns: {range to go on at in the last of them or -1, {code, tasks ...} ...} maybe fewer runs than asked
-- start: a range of the first run.
local MOST_RANGES = 128
local from, looked = tonumber(A.start), 0
local function count(range, codes)
  local first, n = span(range)
  while n > 0 do
    local seg = math.floor(first / 4096)
    local place = first - seg * 4096
    local fits, byte = math.min(n, 4096 - place), math.floor(place / 2)
    local bytes = call('GETRANGE', key('codes', seg), byte, math.floor((place + fits - 1) / 2))
    for i = place, place + fits - 1 do
      local two = bytes:byte(math.floor(i / 2) - byte + 1) or 0
      local code = i % 2 == 0 and math.floor(two / 16) or two % 16
      if code > 0 then codes[code] = (codes[code] or 0) + 1 end
    end
    first, n = first + fits, n - fits
  end
end
local found = {-1}
for i = A.runs.first, A.runs.last do
  local ranges, codes, flat = call('LRANGE', key('ranges', A.runs[i]), from, from + MOST_RANGES - looked - 1), {}, {}
  for _, range in ipairs(ranges) do count(range, codes) end
  for code, n in pairs(codes) do
    flat[#flat + 1] = code
    flat[#flat + 1] = n
  end
  found[i] = flat
  looked = looked + #ranges
  if looked >= MOST_RANGES then
    found[1] = from + #ranges
    return found
  end
  from = 0
end
return found
