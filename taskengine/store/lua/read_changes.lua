-- Which tasks the histories of runs tell of behind some places: 128 runs and about 2000 events a call.
-- args: runs{run, after}...
-- returns: {{sequence of the latest event read, 1 when there are more, tasks created, task ...} ...} maybe fewer than asked
-- after: -1 tells only where the history ends.
local left, found = 2000, {}
for at = A.runs.first, A.runs.last, A.runs.width do
  if left <= 0 or #found == 128 then return found end
  local history, after = key('events', A.runs[at].run), tonumber(A.runs[at].after)
  if after < 0 then
    local last = call('XREVRANGE', history, '+', '-', 'COUNT', 1)[1]
    found[#found + 1] = {last and last[1]:match('%d+$') or '0', 0, 0}
  else
    local events, tasks, known, created = call('XRANGE', history, '(0-' .. after, '+', 'COUNT', 1000), {}, {}, 0
    for _, event in ipairs(events) do
      local what, task = event[2][2]:match('^(%S+) (%S+)')
      if what == 'created' then created = created + 1 end
      if task ~= '-' and not known[task] then
        known[task] = true
        tasks[#tasks + 1] = task
      end
    end
    left = left - #events
    local last = #events > 0 and events[#events][1]:match('%d+$') or tostring(after)
    found[#found + 1] = {last, #events == 1000 and 1 or 0, created, unpack(tasks)}
  end
end
return found
