-- Gives back what runs, or was about to, before its process is ended or goes on without it: READY again, no retry and
-- no loss counted. Each by itself.
-- args: why, execution and token pairs ..., envelope
-- returns: {{'ok', task's status} | {'conflict', status} | {'missing'} ...}
-- events: handed_back, ready | paused | cancelled
-- uses: grant, lose
local function hand_back(eid, token)
  local e = load_execution(eid)
  if not e then return {'missing'} end
  if e.st ~= E.RUNNING or e.att ~= tonumber(token) then return {'conflict', e.st} end
  local m = load(e.task)
  end_execution(e, E.CANCELLED, 'err', ARGV[1], 'knd', 'handed_back')
  if m.cq then cancelled_task(m) else run_again(m, 'handed_back', m.att .. ' ' .. e.node) end
  return {'ok', m.st}
end
local found = {}
for at = 2, #ARGV - 1, 2 do found[#found + 1] = hand_back(ARGV[at], ARGV[at + 1]) end
grant_made()
return found
