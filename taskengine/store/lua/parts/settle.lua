-- Who may change a task now: nobody while its graph's commit waits fall or its dependents are still being told.
-- fields: releasing, undoing, pinning, deleting
-- uses: clock, task
-- Committed batches still settle: their commit waits fall in pieces; nobody else may move such a task meanwhile.
local function visible(m) return not is_open(m.batch) end
local function unsettled(m)
  if m.batch then return {'settling', 'batch', m.batch} end
  if m.telling == nil then
    local v = call('HMGET', key('task', m.id), F.releasing, F.undoing, F.pinning)
    m.telling = v[1] or v[2] or v[3]
  end
  if m.telling then return {'settling', 'release', m.id} end
end
local function find_any(id)
  local m = load(id)
  if not m or not visible(m) then return nil end
  local v = call('HMGET', key('task', id), F.deleting, F.releasing, F.undoing, F.pinning)
  m.telling = v[2] or v[3] or v[4]
  return not v[1] and m or nil
end
-- What a client may say something to: a step is its workflow's, and whoever tells it so looks for it by himself.
local function find(id)
  local m = find_any(id)
  return m and not is_unseen(m) and m or nil
end
