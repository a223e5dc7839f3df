-- Ends a session of a key: whoever shows it is asked for a key again.
-- args: id, session
-- returns: {'ok'} | {'missing'}
return {call('HDEL', key('sessions', A.id), A.session) == 1 and 'ok' or 'missing'}
