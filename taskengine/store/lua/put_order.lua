-- Notes the ids of a graph in the order given, a piece of them, for its commit; kept for an hour.
-- args: batch, start, raw
-- returns: {'ok'}
call('SETRANGE', key('order', A.batch), A.start * 16, A.raw)
call('EXPIRE', key('order', A.batch), 3600)
return {'ok'}
