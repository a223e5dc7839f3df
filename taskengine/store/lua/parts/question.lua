-- What an attempt asks a person: its task is PAUSED in the name of its agent, and goes on when it is answered.
-- fields: question, answers, pause, pause_asked, extra

-- Bytes of answers that a task keeps; the oldest go first.
local ANSWER_BYTES = 262144
-- The record of a pause that its asking is, as any other pause has one. A pause by name that was asked for while it ran
-- waits behind the answer.
-- lazy
local function ask_person(m, question, agent)
  local behind = call('HGET', key('task', m.id), F.pause_asked)
  emit(m.run, 'asked', m.id, m.att .. ' ' .. cjson.decode(question).id)
  suspend_task(m, now .. ' ' .. cjson.encode({by = agent, kind = 'agent', why = 'it asks'}), stop_timers(m))
  call('HSET', key('task', m.id), F.question, now .. ' ' .. question, F.extra, 1)
  if behind then call('HSET', key('task', m.id), F.pause_asked, behind) end
  mark(m.no, 'q:1', 1)
end
-- It asks no more.
-- lazy
local function forget_question(m)
  if call('HDEL', key('task', m.id), F.question) == 1 then unmark(m.no, 'q:1') end
end
-- lazy
local function keep_answer(m, asked, answer)
  local line = now .. ' ' .. asked .. ' ' .. answer
  local kept = call('HGET', key('task', m.id), F.answers)
  while kept and #kept + #line >= ANSWER_BYTES do kept = kept:match('\n(.*)$') end
  call('HSET', key('task', m.id), F.answers, kept and kept .. '\n' .. line or line)
end
-- PAUSED, and behind the answer as it was asked to be by name, or back where its waits say.
-- lazy
local function go_on(m)
  local record = asked_to_pause(m)
  if not record then return unsuspend_task(m) end
  call('HSET', key('task', m.id), F.pause, record)
  call('HDEL', key('task', m.id), F.pause_asked)
  local ends = end_of(record)
  if ends then end_pause_at(m.id, ends) end
  emit(m.run, 'pause_requested', m.id, record)
end
