-- An agent that can do nothing for a while is paused until then, in its own name.
-- uses: clock, pause
-- A pause of somebody else keeps its word and its end; one of its own only ever gets longer.
local function back_off(agent, ends, why)
  local scope, own = 'agent:' .. agent, 'the agent itself'
  local since, text = (call('HGET', K.pauses, scope) or ''):match('^(%d+) (.*)$')
  local terms = since and cjson.decode(text)
  if terms and (terms.by ~= own or terms['until'] >= ends) then return end
  local story = cjson.encode({by = own, ['until'] = ends, why = why})
  call('HSET', K.pauses, scope, (since or now) .. ' ' .. story)
  call('SADD', K.open, '!')
  call('ZADD', K.timers, ends, 'resume:' .. scope)
  note_control('paused', scope, story)
  paused_any = true
end
