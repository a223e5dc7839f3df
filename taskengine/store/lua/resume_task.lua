-- Lets tasks go on that were paused by name: each gets the place that its waits give it now.
-- args: task ..., envelope
-- returns: {{'ok', status} | {'conflict', status} not paused | {'missing'} ...}
-- events: resumed, ready | retrying | pause_withdrawn
-- uses: proceed, grant
local found = {}
for i = 1, #ARGV - 1 do found[i] = resume_task(ARGV[i]) end
grant_made()
return found
