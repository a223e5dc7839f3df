-- Ends the pause of a scope, and brings back the first 256 tasks and timers that it held aside.
-- args: scope, by, envelope
-- returns: {'ok', 1 when it was paused else 0}
-- events: run_resumed
local was = resume(A.scope, A.by)
grant_made()
return {'ok', was and 1 or 0}
