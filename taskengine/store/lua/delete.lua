-- Removes a terminal task that nothing waits for; one that stands in very many lists leaves these first, in pieces.
-- args: task, index, edge revision
-- returns: {'ok'} | {'leaving'} | {'conflict', status} | {'waited', id} | {'stale'} | {'settling', kind, id} | {'missing'}
-- events: deleted
-- uses: settle, erase
if call('ZSCORE', K.erasing, ARGV[1]) then return {'leaving'} end
local m = find(ARGV[1])
if not m then return {'missing'} end
if not C.terminal[m.st] then return {'conflict', m.st} end
local wait = unsettled(m)
if wait then return wait end
if (call('GET', K.edges) or '0') ~= ARGV[3] then return {'stale'} end
-- The caller looked at older ones; new ones come last.
for _, d in ipairs(call('LRANGE', key('deps', m.id), -256, -1)) do
  local st = call('HGET', key('task', d), 'st')
  if st and not C.terminal[st] then return {'waited', d} end
end
if tonumber(call('HGET', key('task', m.id), 'pin') or 0) > 0 then return {'waited', ''} end
if has_many_lists(m.id) then
  begin_leaving(m.id, ARGV[2])
  return {'leaving'}
end
delete(m, ARGV[2])
return {'ok'}
