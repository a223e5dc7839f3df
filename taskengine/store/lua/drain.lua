-- Marks a node as draining: it gets nothing new from this moment on.
-- args: node, why
-- returns: {'ok'}
-- uses: clock
if call('EXISTS', key('node', ARGV[1])) == 1 then call('HSET', key('node', ARGV[1]), 'drain', ARGV[2]) end
call('SREM', K.free, ARGV[1])
return {'ok'}
