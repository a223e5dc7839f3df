-- Notes the ids of a graph in the order given, a piece of them, for its commit; kept for an hour.
-- args: batch, from, raw
-- returns: {'ok'}
-- uses: clock
call('SETRANGE', key('order', ARGV[1]), ARGV[2] * 16, ARGV[3])
call('EXPIRE', key('order', ARGV[1]), 3600)
return {'ok'}
