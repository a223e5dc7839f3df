-- Variables of a workflow's frame; each change has a revision, and whoever waits for a condition is asked to look again.
-- fields: frame.revision
-- uses: clock, event, ready
-- words: name, JSON, ...
local function set_variables(frame, run, words)
  call('HSET', key('vars', frame), unpack(words))
  local number = call('HINCRBY', key('frame', frame), F.frame.revision, 1)
  local names = {}
  for i = 1, #words, 2 do names[#names + 1] = words[i] end
  emit(run, 'variables_set', frame, table.concat(names, ' '))
  for _, id in ipairs(call('SRANDMEMBER', key('ears', frame), 64)) do ask(id, '', 'changed') end
  return number
end
