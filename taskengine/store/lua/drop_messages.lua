-- Removes messages from the quarantine, each named by its whole entry.
-- args: entries...
-- returns: {'ok'}
-- From the end: who drops everything begins with the oldest, which lie there.
for _, entry in ipairs(A.entries) do call('LREM', K.quarantine, -1, entry) end
return {'ok'}
