-- What decisions about tasks need, each with its revision (the counters).
-- args: from, task and because pairs ...
-- returns: {{'ok', status, waiting, failed, cancelled, visible, closed by, because, its name, its status, next} | {'missing'} ...}
-- uses: task
-- because: the dependency that ended badly. Where the given one did not (or none is given), the first of the task's
-- dependencies that did is searched behind `from`, 256 looked at in one script; next: where to search on, or -1.
local left = 256
local function ended_badly(st)
  return st == T.FAILED or st == T.CANCELLED
end
local function search(on)
  local n = 0
  for d in (on or ''):gmatch('%S+') do
    n = n + 1
    if n > tonumber(ARGV[1]) then
      if left == 0 then return '', '', '', n - 1 end
      left = left - 1
      local b = call('HMGET', key('task', d), 'nm', 'st')
      if ended_badly(b[2]) then return d, b[1] or '', b[2], -1 end
    end
  end
  return '', '', '', -1
end
local function snapshot(id, because)
  local m = load(id)
  if not m then return {'missing'} end
  local v = call('HMGET', key('task', id), 'by', 'on')
  local b = because ~= id and call('HMGET', key('task', because), 'nm', 'st') or {}
  local name, st, more = b[1] or '', b[2] or '', -1
  if m.st == T.PENDING and m.f + m.c > 0 and not ended_badly(st) then because, name, st, more = search(v[2]) end
  return {'ok', m.st, m.w, m.f, m.c, m.batch and 0 or 1, v[1] or '', because, name, st, more}
end
local found = {}
for i = 2, #ARGV, 2 do found[#found + 1] = snapshot(ARGV[i], ARGV[i + 1]) end
return found
