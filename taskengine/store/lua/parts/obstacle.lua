-- Why a READY task may not run now. Limits and resources will add their reasons here.
-- uses: clock, pause
-- The name of a park, or nil.
local function obstacle(m)
  local scope = is_any_paused() and pause_of(m)
  return scope and 'pause:' .. scope
end
