-- What decisions about steps need: each with its counters and its frame, and how the child in question stands.
-- args: step and because pairs ...
-- returns: {'' when there is no such step | {rests on, its fields, those of its frame, those of because, {scope, story} of a pause | {}} ...}
-- Fields are 'name', value, ...
-- uses: step, pause
local function read_fields(name, ...)
  local found = {}
  for i, value in ipairs(call('HMGET', name, ...)) do
    if value then
      found[#found + 1] = select(i, ...)
      found[#found + 1] = value
    end
  end
  return found
end
local function look(id, because)
  local m = load_step(id)
  if not m then return '' end
  local scope, story
  if is_any_paused() then scope, story = first_paused({'all', 'run:' .. m.run}) end
  local own = read_fields(key('task', id), 'st', 'run', 'lane', 'sc', 'w', 'f', 'c', 'nm', 'frs', 'at', unpack(STEP_FIELDS))
  own[#own + 1] = 'pieces'
  own[#own + 1] = call('LLEN', key('kids', id))
  local frame = m.fr or id
  return {rests_on(m), own, read_fields(key('frame', frame), 'wf', 'def', 'vr'),
    read_fields(key('task', because), 'st', 'nm', 'p', 'fb', 'by', 'err', 'knd', 'rsn', 'up', 'cul'), scope and {scope, story} or {}}
end
local found = {}
for i = 1, #ARGV, 2 do found[#found + 1] = look(ARGV[i], ARGV[i + 1]) end
return found
