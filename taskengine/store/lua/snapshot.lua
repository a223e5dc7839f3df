-- What a decision about one task needs, with its revision.
-- args: task, because
-- returns: {'ok', status, waiting, failed, cancelled, visible, name of because, status of because} | {'missing'}
-- uses: task
local m = load(ARGV[1])
if not m then return {'missing'} end
local b = {'', ''}
if ARGV[2] ~= '' then b = call('HMGET', key('task', ARGV[2]), 'nm', 'st') end
return {'ok', m.st, m.w, m.f, m.c, m.batch and 0 or 1, b[1] or '', b[2] or ''}
