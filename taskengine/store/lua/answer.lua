-- Answers what a task asks, which lets it go on.
-- args: task, asked_ms, answer, envelope
-- returns: {'ok', status} | {'other', question} it asks something else | {'conflict', status} it asks nothing | {'missing'}
-- events: answered, resumed, ready | pause_requested
-- fields: question, answers
-- asked_ms: of the question that the answer is to, as it is stored: each has its own. answer: JSON {question_id, value, by}.
local m = find(A.task)
if not m then return {'missing'} end
local v = call('HMGET', key('task', m.id), F.question, F.answers)
if not v[1] or v[1]:match('^%d+') ~= A.asked_ms then
  for line in (v[2] or ''):gmatch('[^\n]+') do
    local asked, text = line:match('^%d+ (%d+) (.*)$')
    if asked == A.asked_ms and text == A.answer then return {'ok', m.st} end
  end
  if v[1] then return {'other', v[1]} end
  return {'conflict', m.st}
end
local said = cjson.decode(A.answer)
emit(m.run, 'answered', m.id, said.question_id .. ' by ' .. said.by)
keep_answer(m, A.asked_ms, A.answer)
forget_question(m)
go_on(m)
grant_made()
return {'ok', m.st}
