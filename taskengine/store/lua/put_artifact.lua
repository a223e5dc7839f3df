-- Keeps bytes beside the result of a running execution, if its token still holds; a later one of a name replaces it.
-- args: execution, token, name, size, is_cut, kind, digest, body, most, most_names
-- returns: {'ok'} | {'full', bytes of the others} | {'many'} | {'fenced', status} | {'missing'}
-- size: as it was given. digest: of the body, which tells a repeat. most: bytes of all bodies of an execution.
local e = load_execution(A.execution)
if not e then return {'missing'} end
if e.st ~= E.RUNNING or e.att ~= tonumber(A.token) then return {'fenced', e.st} end
local index, others, count = key('artifacts', e.id), 0, 0
local all = call('HGETALL', index)
for i = 1, #all, 2 do
  if all[i] == A.name then
    if all[i + 1]:match('%S+$') == A.digest then return {'ok'} end
  else
    count = count + 1
    others = others + tonumber(all[i + 1]:match('^%d+ %d+ (%d+)'))
  end
end
if count >= tonumber(A.most_names) then return {'many'} end
if others + #A.body > tonumber(A.most) then return {'full', others} end
local words = {now, A.size, #A.body, A.is_cut, A.kind, A.digest}
call('HSET', index, A.name, table.concat(words, ' '))
call('HSET', key('artifact_bodies', e.id), A.name, A.body)
return {'ok'}
