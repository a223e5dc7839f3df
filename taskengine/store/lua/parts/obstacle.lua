-- Why a READY task may not run now. Limits and resources will add their reasons here.
-- uses: clock, pause
-- The name of a park, or nil. Whoever asks has looked at its lane; left are its run and, of a pinned one, its capability.
local function obstacle(m)
  if not is_any_paused() then return nil end
  local scopes = {}
  if is_any_run_paused() then scopes[1] = 'run:' .. m.run end
  if m.lane:sub(1, 1) == '@' then scopes[#scopes + 1] = 'cap:' .. capability_of(m) end
  local scope = scopes[1] and first_paused(scopes)
  return scope and 'pause:' .. scope
end
