-- Lifts READY tasks of a queue by one priority class that waited so long since they were READY, or lifted before.
-- args: term, queue, start, aging_ms
-- returns: {'ok', lifted, from where to go on or -1, ms until one of these is due} | {'stale'}
-- fields: ready, aged, score
-- queue: also 'room:QUEUE|DEMAND', what of a queue waits for room on a host.
-- start: how many at the queue's end this pass has looked at. Counted from the end, because tasks leave at the head:
-- what is left there moves nobody that is still to be looked at. 256 are looked at; CRITICAL ones, which stand first,
-- never. A queue that is paused or that nobody serves does not age: nobody is overtaken there, and hours of it would
-- make all alike.
if outdated(A.term) then return {'stale'} end
local from, aging, parked = tonumber(A.start), tonumber(A.aging_ms), A.queue:match('^room:([^|]*)|')
local queue, waiting = parked or A.queue, parked and key('park', A.queue) or key('ready', A.queue)
if closed_by(queue) or offering(queue) == 0 then return {'ok', 0, -1, aging} end
local items, lifted = call('ZREVRANGE', waiting, from, from + 255, 'WITHSCORES'), 0
local soonest = aging
for i = 1, #items, 2 do
  local score, id = tonumber(items[i + 1]), items[i]:sub(13)
  if score < C.class_step then return {'ok', lifted, -1, soonest} end
  local v = call('HMGET', key('task', id), F.ready, F.aged)
  local own, last = (v[2] or ''):match('^(%d+) (%d+)$')
  local due = v[1] and math.max(tonumber(v[1]), tonumber(last or 0)) + aging
  if due and due > now then
    soonest = math.min(soonest, due - now)
  elseif due then
    local higher = string.format('%.0f', score - C.class_step)
    call('ZADD', waiting, higher, items[i])
    call('HSET', key('task', id), F.score, higher, F.aged, (own or string.format('%.0f', score)) .. ' ' .. now)
    lifted = lifted + 1
  end
end
return {'ok', lifted, #items == 512 and from + 256 - lifted or -1, soonest}
