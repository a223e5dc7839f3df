-- Registers an agent, or changes what is stored of it; the same content again changes nothing.
-- args: agent, type, capabilities, most, limits, doc, origin, if_revision, fits, breaks, share, preference, envelope
-- returns: {'ok', revision} | {'changed', revision} it has another one | {'full'} more agents are not stored
--   | {'unknown', limit} there is none of that name
-- fields: agent.type, agent.capabilities, agent.most, agent.limits, agent.doc, agent.origin, agent.revision
-- fields: agent.created, agent.updated
-- capabilities, limits: words in order. most: executions at once, or ''. origin: 'code' or 'api'.
-- breaks: '1' when it has a breaker, or ''. share: what each execution reserves of its host, as words, or ''.
-- preference: a digit, or '' for the usual one.
-- if_revision: which is to be changed, 0 when there is none yet. fits: agents that may be stored.
local names = {F.agent.type, F.agent.capabilities, F.agent.most, F.agent.limits, F.agent.doc, F.agent.origin}
local words = {A.type, A.capabilities, A.most, A.limits, A.doc, A.origin}
local before = call('HMGET', key('agent', A.agent), F.agent.revision, unpack(names))
local revision, is_same = tonumber(before[1] or 0), true
for i, word in ipairs(words) do is_same = is_same and before[i + 1] == word end
if is_same then return {'ok', revision} end
if revision ~= tonumber(A.if_revision) then return {'changed', revision} end
if revision == 0 and call('ZCARD', K.agents) >= tonumber(A.fits) then return {'full'} end
local unknown = share_limits(A.agent, A.most, A.breaks, A.limits, A.share, A.preference)
if unknown then return {'unknown', unknown} end
if revision == 0 then
  call('ZADD', K.agents, now, A.agent)
  call('HSET', key('agent', A.agent), F.agent.created, now)
end
for i, name in ipairs(names) do call('HSET', key('agent', A.agent), name, words[i]) end
call('HSET', key('agent', A.agent), F.agent.revision, revision + 1, F.agent.updated, now)
call('INCR', K.agent_revision)
grant_made()
return {'ok', revision + 1}
