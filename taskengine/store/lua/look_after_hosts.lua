-- Keeps hosts free for tasks that waited for room too long, and forgets what is kept for nobody or reserved by nobody.
-- args: term, patience_ms
-- returns: {'ok', hosts that are kept, reservations of none that were dropped} | {'stale'}
-- fields: ready, exec.status, exec.hold, node.host, node.queues
-- What has room by it is granted with the next sweep. On a kept host what else demands something starts nothing more until one of the park for which it is kept did.
-- Of two queues a call, and of two hosts, not always the same; 16 are kept at once. A host is kept for tasks that wait since patience_ms
-- and that it could hold if it were empty.
if outdated(A.term) then return {'stale'} end
local dropped = 0
for _, name in ipairs(call('HRANDFIELD', K.hosts, 2) or {}) do
  for _, eid in ipairs(call('HRANDFIELD', key('reserved', name), 32) or {}) do
    local v = call('HMGET', key('exec', eid), F.exec.status, F.exec.hold)
    if v[1] ~= E.RUNNING or not (' ' .. (v[2] or '') .. ' '):find(' &' .. name .. ' ', 1, true) then
      free_room(eid, name)
      dropped = dropped + 1
    end
  end
end
local kept, is_kept, count = call('HGETALL', K.kept_hosts), {}, 0
for i = 1, #kept, 2 do
  if call('EXISTS', key('park', kept[i + 1])) == 0 or call('HEXISTS', K.hosts, kept[i]) == 0 then
    call('HDEL', K.kept_hosts, kept[i])
  else
    is_kept[kept[i + 1]] = true
    count = count + 1
  end
end
local function could_hold(name, demand)
  local h = name and load_host(name)
  if not h or h.kept then return false end
  for each, milli in pairs(demand) do
    if milli > (h.total[each] or 0) then return false end
  end
  return true
end
local function keep_one(head, nodes)
  for _, node in ipairs(nodes) do
    local demand = demand_by(head.demand, node.agent)
    if demand and could_hold(node.host, demand) then
      call('HSET', K.kept_hosts, node.host, head.scope)
      of_hosts('seen')[node.host].kept = head.scope
      count = count + 1
      return
    end
  end
end
local function nodes_of(queue)
  local found = {}
  for _, name in ipairs(call('SRANDMEMBER', key('offers', queue), 16) or {}) do
    local v = call('HMGET', key('node', name), F.node.host, F.node.queues)
    found[#found + 1] = {host = (v[1] or ''):match('^%S+'), agent = agent_for({queues = ' ' .. (v[2] or '')}, queue)}
  end
  return found
end
for _, queue in ipairs(call('SRANDMEMBER', K.room_queues, 2) or {}) do
  local nodes
  for _, head in ipairs(heads_of(queue)) do
    local since = tonumber(call('HGET', key('task', head.item:sub(13)), F.ready) or now)
    if count < 16 and not is_kept[head.scope] and now - since >= tonumber(A.patience_ms) then
      nodes = nodes or nodes_of(queue)
      keep_one(head, nodes)
    end
  end
end
return {'ok', count, dropped}
