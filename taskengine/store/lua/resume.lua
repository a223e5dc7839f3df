-- Ends the pause of a scope, and brings back the first 256 tasks and timers that it held aside. An agent's breaker closes.
-- args: scope, by, envelope
-- returns: {'ok', 1 when it was paused, or its breaker open, else 0}
-- events: run_resumed
local was = resume(A.scope, A.by)
local agent = A.scope:match('^agent:(.*)$')
if agent and is_any_limited() and close_breaker(agent) then was = true end
grant_made()
return {'ok', was and 1 or 0}
