-- Pauses a scope: nothing of it starts from this moment on. Of a scope that is paused, tells the pause's new terms.
-- args: scope, terms, until_ms
-- returns: {'ok', record} | {'late', server ms} until is over | {'missing'} no such run
-- events: run_paused
-- terms: JSON {by, kind, until, why}. until: ms, or '' for no end. record: when it began and its terms.
local scope, terms, ends = A.scope, A.terms, tonumber(A.until_ms)
local run = scope:match('^run:(.*)$')
if run and call('EXISTS', key('run', run)) == 0 then return {'missing'} end
local before = call('HGET', K.pauses, scope) or ''
local since, said = before:match('^(%d+) (.*)$')
if said == terms then return {'ok', before} end
if ends and ends <= now then return {'late', now} end
local record = (since or now) .. ' ' .. terms
call('HSET', K.pauses, scope, record)
local capability = scope:match('^cap:(.*)$')
if capability then call('SREM', K.open_queues, capability) else call('SADD', K.open_queues, run and '!run' or '!') end
if ends then call('ZADD', K.timers, ends, 'resume:' .. scope) else call('ZREM', K.timers, 'resume:' .. scope) end
if run then emit(run, 'run_paused', '-', terms) else note_control('paused', scope, terms) end
return {'ok', record}
