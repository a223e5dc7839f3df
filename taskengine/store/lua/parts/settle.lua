-- Who may change a task now: nobody while its graph's commit waits fall or its dependents are still being told.
-- uses: clock, task
local function unsettled(m)
  if m.batch then return {'settling', 'batch', m.batch} end
  local v = call('HMGET', key('task', m.id), 'rel', 'undo')
  if v[1] or v[2] then return {'settling', 'release', m.id} end
end
local function find(id)
  local m = load(id)
  if not m or not visible(m) then return nil end
  return m
end
