-- How many live nodes offer a lane.
-- uses: clock
local function offering(lane)
  local n = 0
  for _, node in ipairs(call('SMEMBERS', key('offers', lane))) do
    if tonumber(call('ZSCORE', K.nodes, node) or 0) > now then n = n + 1 end
  end
  return n
end
