-- Nodes that beat and take nothing of what they are granted: their consumers are cut off, or never began.
-- fields: node.took, node.offered, node.untaken, node.untaken_at, node.probe, node.slots, node.draining
-- fields: node.alive_until
-- uses: clock, grant
-- Grants are a lane's, so a withdrawn one counts against each node that offers it, had a slot free and claimed nothing
-- since it was given; once for all that were given together. After the third in a row none of its slots count
-- as free, in the field that grants read anyway. It is trusted again when it claims or offers what it did not, and a
-- minute after the third, and after each probe, it is given one. (Rejected: whenever its offer changes. A worker that
-- the server refuses connects again and again, and offers all and nothing by turns.)
local MOST_UNTAKEN, PROBE_MS = 3, 60000
local function is_distrusted(untaken) return tonumber(untaken or 0) >= MOST_UNTAKEN end
local function trust(node, untaken, lanes_text)
  call('HSET', key('node', node), F.node.took, now, F.node.offered, lanes_text)
  if untaken then call('HDEL', key('node', node), F.node.untaken, F.node.untaken_at, F.node.probe) end
  return false
end
-- Whether it offers a lane that it did not since it was trusted.
local function offers_more(node, lanes_text)
  local had = ' ' .. (call('HGET', key('node', node), F.node.offered) or '')
  for lane in lanes_text:gmatch('%S+=') do
    if not had:find(' ' .. lane, 1, true) then return true end
  end
  return false
end
-- 16 of them a script, not always the same.
local blames_left = 16
local function blame(lane, given)
  local nodes = call('SINTER', K.free, key('offers', lane))
  for i = 1, math.min(#nodes, blames_left) do
    local node = nodes[(now + i) % #nodes + 1]
    local v = call('HMGET', key('node', node), F.node.slots, F.node.draining, F.node.took, F.node.untaken_at,
      F.node.alive_until)
    local free = tonumber(v[1] or 0) - call('HLEN', key('slots', node))
    local is_asked = tonumber(v[5] or 0) > now and not v[2] and free > 0
    if is_asked and given >= tonumber(v[3] or 0) and given >= tonumber(v[4] or 0) then
      call('HSET', key('node', node), F.node.untaken_at, now)
      if call('HINCRBY', key('node', node), F.node.untaken, 1) >= MOST_UNTAKEN then
        call('HSET', key('node', node), F.node.slots, '0', F.node.probe, now + PROBE_MS)
        call('SREM', K.free, node)
      end
    end
  end
  blames_left = blames_left - math.min(#nodes, blames_left)
end
local function probe(node, lanes)
  if now < tonumber(call('HGET', key('node', node), F.node.probe) or 0) then return end
  call('HSET', key('node', node), F.node.slots, call('HLEN', key('slots', node)) + 1)
  call('SADD', K.free, node)
  local before = granted_now
  for _, lane in ipairs(lanes) do
    if granted_now == before then grant(lane, math.min(1, call('ZCARD', key('ready', lane)))) end
  end
  call('HSET', key('node', node), F.node.slots, '0')
  call('SREM', K.free, node)
  if granted_now > before then call('HSET', key('node', node), F.node.probe, now + PROBE_MS) end
end
