-- The graph that an idempotency key names: what it is made of, its run, and some of its ids in the order given.
-- args: name, start, most
-- returns: {'ok', sha, run, how many ids it has, id ...} | {'missing'}
local graph = named_graph(A.name)
if not graph then return {'missing'} end
local order = key('order', A.name)
local found = {'ok', graph.sha, graph.run, call('STRLEN', order) / 16}
local raw = call('GETRANGE', order, A.start * 16, (A.start + A.most) * 16 - 1)
for place = 0, #raw / 16 - 1 do found[#found + 1] = id_of(raw, place) end
return found
