-- One heartbeat of a worker node: publishes it, renews what its live slots hold, ends what lost its slot.
-- args: node, number, info, slots, lanes, drain, took, live ..., envelope
-- returns: {'ok', server ms, {execution, message, pid, deadline, cancel request or '', token, task, silent until or ''} ..., {execution, task, pid, task's status or '', why} ...}
-- events: lost, ready | paused
-- uses: pull, grant, lose, unpark, untaken
-- number: of this beat, counting up. A copy, or one that newer ones overtook, only reads: its list of slots is old.
-- info: JSON for people. took: not '' when a slot claimed since the last beat.
-- live: 'message|pid' of every message in hand. A slot absent in two beats in a row is lost.
-- 'message|pid|ms ago|how' of one whose process was seen to die: lost at once, with that reason, since then.
local node, lanes_text = ARGV[1], ARGV[5]
local held, vanished, lost, leases = {}, {}, {}, {}
local function tell(ids, msg, pid)
  for eid in ids:gmatch('%S+') do
    local e = call('HMGET', key('exec', eid), 'dl', 'cq', 'att', 'task', 'hb')
    held[#held + 1] = {eid, msg, pid, e[1] or '', e[2] or '', e[3] or '', e[4] or '', e[5] or ''}
  end
end
local old = call('HMGET', key('node', node), 'lanes', 'slots', 'no', 'un')
local slots = call('HGETALL', key('slots', node))
if tonumber(ARGV[2]) <= tonumber(old[3] or 0) then
  for i = 2, #slots, 2 do tell(slots[i]:match('^([^|]*)|([^|]*)|([^|]*)|')) end
  return {'ok', now, held, lost}
end
local alive = call('ZSCORE', K.nodes, node)
local first = not alive or tonumber(alive) < now
if first or ARGV[7] ~= '' or (old[1] ~= lanes_text and offers_more(node, lanes_text)) then
  old[4] = trust(node, old[4], lanes_text)
end
local distrusted = is_distrusted(old[4])
local countable = distrusted and '0' or ARGV[4]
call('HSET', key('node', node), 'no', ARGV[2], 'info', ARGV[3], 'slots', countable, 'size', ARGV[4], 'lanes', lanes_text,
  'until', now + C.lease_ms)
call('PEXPIRE', key('node', node), 3600000)
if ARGV[6] == '' then call('HDEL', key('node', node), 'drain') else call('HSET', key('node', node), 'drain', ARGV[6]) end
call('ZADD', K.nodes, now + C.lease_ms, node)
local lanes, agents = parse_lanes(lanes_text)
if first or old[1] ~= lanes_text then
  local most = 256
  for lane in (old[1] or ''):gmatch('(%S+)=') do call('SREM', key('offers', lane), node) end
  for _, lane in ipairs(lanes) do
    call('SADD', key('offers', lane), node)
    if most > 0 and lane:sub(1, 1) == '@' then most = most - unpark('agent:' .. lane:sub(2), most) end
  end
end
if first or old[1] ~= lanes_text or old[2] ~= countable then
  for _, lane in ipairs(lanes) do
    wake(lane)
    note_lane(lane)
  end
end
local live = {}
local died = {}
for i = 8, #ARGV - 1 do
  local slot, ago, how = ARGV[i]:match('^([^|]*|%d+)|(%d+)|(.*)$')
  if slot then died[slot] = {how, now - ago} else live[ARGV[i]] = true end
end
local stories = {}
for i = 1, #slots, 2 do
  local ids, msg, pid, missed = slots[i + 1]:match('^([^|]*)|([^|]*)|([^|]*)|(%d)$')
  if live[msg .. '|' .. pid] then
    leases[#leases + 1] = now + C.lease_ms
    leases[#leases + 1] = node .. '/' .. slots[i]
    if missed ~= '0' then call('HSET', key('slots', node), slots[i], ids .. '|' .. msg .. '|' .. pid .. '|0') end
  elseif missed == '0' and not died[msg .. '|' .. pid] then
    leases[#leases + 1] = now + C.lease_ms
    leases[#leases + 1] = node .. '/' .. slots[i]
    call('HSET', key('slots', node), slots[i], ids .. '|' .. msg .. '|' .. pid .. '|1')
  else
    if #vanished < 16 then
      vanished[#vanished + 1] = {slots[i], pid}
      stories[#vanished] = died[msg .. '|' .. pid] or {'its slot vanished'}
    end
    ids = nil
  end
  if #leases >= 200 then
    call('ZADD', K.leases, unpack(leases))
    leases = {}
  end
  if ids then tell(ids, msg, pid) end
end
if #leases > 0 then call('ZADD', K.leases, unpack(leases)) end
for n, one in ipairs(vanished) do
  for _, e in ipairs(lose_slot(node, one[1], stories[n][1], false, stories[n][2])) do
    lost[#lost + 1] = {e.id, e.task, one[2], e.became, e.why}
  end
end
if ARGV[6] == '' and tonumber(countable) > #slots / 2 - #vanished then
  call('SADD', K.free, node)
  -- What waits longer than a beat although this node could run it, whatever the hints said.
  local work = busy(lanes, agents)
  for _, lane in ipairs(work) do note_lane(lane) end
  if #work > 0 then look(node) end
else
  call('SREM', K.free, node)
end
if distrusted and ARGV[6] == '' then probe(node, lanes) end
grant_made()
return {'ok', now, held, lost}
