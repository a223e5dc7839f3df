-- Counts the status codes of 32 segments of arrivals, beside what the counts say at the same moment.
-- args: start
-- returns: {segment to go on at or -1, batches whose commit waits fall, counts, {code, arrivals ...}}
-- start: a segment. counts: 'status', tasks, ...
local from, codes = tonumber(A.start), {}
local last = math.floor(tonumber(call('GET', K.arrivals) or 0) / 4096)
for seg = from, math.min(last, from + 31) do
  local bytes = call('GET', key('codes', seg)) or ''
  for i = 1, #bytes do
    local byte = bytes:byte(i)
    if byte > 0 then
      local high, low = math.floor(byte / 16), byte % 16
      codes[high] = (codes[high] or 0) + 1
      codes[low] = (codes[low] or 0) + 1
    end
  end
end
local flat = {}
for code, n in pairs(codes) do
  flat[#flat + 1] = code
  flat[#flat + 1] = n
end
return {from + 32 <= last and from + 32 or -1, call('SCARD', K.commits), call('HGETALL', K.counts), flat}
