-- Forgets a key and its sessions: from now on it lets nobody in.
-- args: id, lapsed
-- returns: {'ok'} | {'missing'} | {'lasts'}
-- fields: api_key.ends
-- lapsed: '1': only if its end is over; '' whenever that is.
local name = key('api_key', A.id)
if A.lapsed ~= '' then
  local ends = tonumber(call('HGET', name, F.api_key.ends) or '')
  if not ends or ends > now then return {'lasts'} end
end
call('DEL', name, key('sessions', A.id))
return {call('ZREM', K.api_keys, A.id) == 1 and 'ok' or 'missing'}
