-- Marks a node as draining: it gets nothing new from this moment on.
-- args: node, why
-- returns: {'ok'}
-- fields: node.draining
if call('EXISTS', key('node', A.node)) == 1 then call('HSET', key('node', A.node), F.node.draining, A.why) end
call('SREM', K.free_nodes, A.node)
return {'ok'}
