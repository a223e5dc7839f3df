-- What stands around a task that its record does not tell: its place among others, who could run it, who thinks.
-- args: task
-- returns: {now, {field, value ...}, position, ready, granted, {{node, slots, held, drain, untaken, info} ...}, {lane ...}, leader or '', pause} | {}
-- uses: task, pause
-- position: how many stand before it in its lane, -1 when it does not stand there. Of nodes, those that live and offer
-- its lane, 1000 at most; of lanes, 100 that live nodes offer. pause: {scope, story} of one that it feels, or {}.
local id = ARGV[1]
local FIELDS = {'st', 'no', 'lane', 'park', 'g', 'w', 'f', 'c', 'due', 'hold', 'batch', 'cq', 'rule', 'run', 'sc', 'ag'}
local v = call('HMGET', key('task', id), unpack(FIELDS))
if not v[1] or is_open(v[11]) then return {} end
local t, fields = {}, {}
for i, name in ipairs(FIELDS) do
  t[name] = v[i]
  if v[i] then
    fields[#fields + 1] = name
    fields[#fields + 1] = v[i]
  end
end
if t.g then
  fields[#fields + 1] = 'claim by'
  fields[#fields + 1] = call('ZSCORE', K.granted_all, t.g) or ''
end
local offering, lanes, known = {}, {}, {}
local scope, story
if is_any_paused() then scope, story = pause_of({id = id, run = t.run, lane = t.lane}) end
for _, node in ipairs(call('ZRANGEBYSCORE', K.nodes, '(' .. now, '+inf', 'LIMIT', 0, 1000)) do
  local n = call('HMGET', key('node', node), 'slots', 'drain', 'lanes', 'size', 'un', 'info')
  for lane, agent in (n[3] or ''):gmatch('(%S+)=(%S+)') do
    if lane == t.lane then
      if is_any_paused() and not scope then scope, story = first_paused({'agent:' .. agent}) end
      offering[#offering + 1] = {node, n[4] or n[1] or '0', call('HLEN', key('slots', node)), n[2] or '', n[5] or '0', n[6] or ''}
    end
    if not known[lane] and #lanes < 100 then
      known[lane] = true
      lanes[#lanes + 1] = lane
    end
  end
end
local leader = call('HMGET', K.leader, 'id', 'until')
local leads = leader[2] and tonumber(leader[2]) > now
return {now, fields, call('ZRANK', key('ready', t.lane), string.format('%012d', t.no) .. id) or -1,
  call('ZCARD', key('ready', t.lane)), call('SCARD', key('granted', t.lane)), offering, lanes, leads and leader[1] or '', scope and {scope, story} or {}}
