-- A decision about a task, as long as what it rests on stands.
-- uses: clock, task, leader, rules
-- The decision's entry goes with whatever answers it.
local function answered(entry)
  if entry ~= '' then call('XDEL', K.decisions, entry) end
end
-- Its PENDING task, or nil and what to answer: the term is over, the task is gone, or it changed.
local function decided(term, entry, id, rests_on)
  if outdated(term) then return nil, {'stale'} end
  local m = load(id)
  if not m then
    answered(entry)
    return nil, {'missing'}
  end
  if m.st ~= T.PENDING or revision(m) ~= rests_on then return nil, {'changed'} end
  return m
end
