-- What an attempt leaves for the next ones: where its work went on, what a person answered, what is left of a cap.
-- fields: reference, answers, most_tokens, tokens, extra, exec.reference

-- A task's field extra says that there is something of it: one without pays nothing. As its worker is told, in words:
-- name, value ...
-- lazy
local function told_extra(m)
  local v = call('HMGET', key('task', m.id), F.reference, F.answers, F.most_tokens, F.tokens)
  local words = {}
  for i, name in ipairs({'ref', 'ans', 'cap', 'used'}) do
    if v[i] then
      words[#words + 1] = name
      words[#words + 1] = v[i]
    end
  end
  if m.demand then
    words[#words + 1] = 'res'
    words[#words + 1] = amount_words(m.demand)
  end
  return words
end
-- An attempt that was heard to the end leaves nothing to go on with; one that waits, or that nobody answered, does. What
-- a person answered stands until the task COMPLETED.
local GOES_ON = {not_now = true, agent_not_now = true, credential_not_now = true, ask = true}
local UNHEARD = {network = true, timeout = true}
-- lazy
local function drop_kept(m, disposition, kind)
  if m.st == T.COMPLETED then return call('HDEL', key('task', m.id), F.reference, F.answers) end
  if not GOES_ON[disposition] and not UNHEARD[kind] then call('HDEL', key('task', m.id), F.reference) end
end
-- On the execution that wrote it, and on its task for the next attempt; with the moment at which it changed.
-- lazy
local function keep_reference(e, reference)
  local before = call('HGET', key('exec', e.id), F.exec.reference)
  if before and before:match('^%d+ (.*)$') == reference then return end
  local record = now .. ' ' .. reference
  call('HSET', key('exec', e.id), F.exec.reference, record)
  call('HSET', key('task', e.task), F.reference, record, F.extra, 1)
end
