-- Live nodes that offer a lane: two commands, however many they are.
-- fields: node.draining
-- uses: clock
local function offering_nodes(lane)
  local all, live = call('SMEMBERS', key('offers', lane)), {}
  for from = 1, #all, 1000 do
    local to = math.min(#all, from + 999)
    for i, alive_until in ipairs(call('ZMSCORE', K.nodes, unpack(all, from, to))) do
      if tonumber(alive_until or 0) > now then live[#live + 1] = all[from + i - 1] end
    end
  end
  return live
end
-- How many live nodes offer a lane.
local function offering(lane) return #offering_nodes(lane) end
-- Whether one of them takes work: of a crowd that drains as one, somebody is taken to, until it is gone.
local function is_offered(lane)
  for i, node in ipairs(offering_nodes(lane)) do
    if i > 16 or call('HEXISTS', key('node', node), F.node.draining) == 0 then return true end
  end
  return false
end
