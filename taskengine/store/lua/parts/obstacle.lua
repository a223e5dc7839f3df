-- Why a READY task may not run now. Limits and resources will add their reasons here.
-- uses: clock, pause
-- The name of a park, or nil. Whoever asks has looked at its lane; left are its run and, of a pinned one, its capability.
local function obstacle(m)
  local is_pinned = m.lane:sub(1, 1) == '@' and is_any_paused()
  if not is_pinned and not is_any_run_paused() then return nil end
  local scopes = {}
  if is_any_run_paused() then scopes[1] = 'run:' .. m.run end
  if is_pinned then scopes[#scopes + 1] = 'cap:' .. capability_of(m) end
  local scope = first_paused(scopes)
  return scope and 'pause:' .. scope
end
