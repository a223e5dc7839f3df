-- Lets tasks go on that were paused by name: each gets the place that its waits give it now.
-- args: tasks..., envelope
-- returns: {{'ok', status} | {'conflict', status} not paused | {'asks', question} | {'missing'} ...}
-- events: resumed, ready | retrying | pause_withdrawn
local found = {}
for i = A.tasks.first, A.tasks.last do found[i] = resume_task(A.tasks[i]) end
grant_made()
return found
