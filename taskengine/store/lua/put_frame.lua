-- Gives a step that runs another definition variables of its own; the first word stands.
-- args: term, step, workflow, digest, context, path, depth, names, definitions, variables{name, value}...
-- returns: {'ok'} | {'stale'} the term | {'undefined', digest} a definition is not there
-- fields: frame.workflow, frame.definition, frame.revision, frame.context, frame.path, frame.depth, frame.names
-- fields: frame.definitions
if outdated(A.term) then return {'stale'} end
if call('EXISTS', key('frame', A.step)) == 1 then return {'ok'} end
for each in A.definitions:gmatch('%S+') do
  if call('EXISTS', key('definition', each)) == 0 then return {'undefined', each} end
end
for each in A.definitions:gmatch('%S+') do
  call('PERSIST', key('definition', each))
  call('SADD', key('definition_users', each), A.step)
end
call('HSET', key('frame', A.step), F.frame.workflow, A.workflow, F.frame.definition, A.digest, F.frame.revision, 0,
  F.frame.context, A.context, F.frame.path, A.path, F.frame.depth, A.depth, F.frame.names, A.names, F.frame.definitions, A.definitions)
if A.variables.last >= A.variables.first then call('HSET', key('variables', A.step), unpack(ARGV, A.variables.first)) end
return {'ok'}
