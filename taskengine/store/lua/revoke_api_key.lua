-- Forgets a key and its sessions: from now on it lets nobody in.
-- args: id
-- returns: {'ok'} | {'missing'}
call('DEL', key('api_key', A.id), key('sessions', A.id))
return {call('ZREM', K.api_keys, A.id) == 1 and 'ok' or 'missing'}
