-- Gives a step that runs another definition variables of its own; the first word stands.
-- args: term, step, workflow, digest, context, path, depth, variables{name, value}...
-- returns: {'ok'} | {'stale'} the term
-- fields: frame.workflow, frame.definition, frame.revision, frame.context, frame.path, frame.depth
if outdated(A.term) then return {'stale'} end
if call('EXISTS', key('frame', A.step)) == 1 then return {'ok'} end
call('HSET', key('frame', A.step), F.frame.workflow, A.workflow, F.frame.definition, A.digest, F.frame.revision, 0,
  F.frame.context, A.context, F.frame.path, A.path, F.frame.depth, A.depth)
if A.variables.last >= A.variables.first then call('HSET', key('variables', A.step), unpack(ARGV, A.variables.first)) end
return {'ok'}
