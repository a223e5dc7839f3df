-- Takes or renews the leadership; a new leader gets a new term.
-- args: id, lease_ms, settings
-- returns: {'ok', term, 1 when newly taken else 0} | {'standby', leader, ms until it lapses} | {'schema', stored}
-- fields: leader.id, leader.term, leader.leads_until, leader.settings
local l = call('HMGET', K.leader, F.leader.id, F.leader.term, F.leader.leads_until)
local until_ms = tonumber(l[3] or 0)
if l[1] == A.id and until_ms > now then
  call('HSET', K.leader, F.leader.leads_until, now + A.lease_ms)
  return {'ok', l[2], 0}
end
if until_ms > now then return {'standby', l[1], until_ms - now} end
local stored = tonumber(call('GET', K.schema) or C.schema) or 0
if stored < C.oldest_schema or stored > C.schema then return {'schema', stored} end
call('SET', K.schema, C.schema)
local term = call('HINCRBY', K.leader, F.leader.term, 1)
call('HSET', K.leader, F.leader.id, A.id, F.leader.leads_until, now + A.lease_ms, F.leader.settings, A.settings)
return {'ok', tostring(term), 1}
