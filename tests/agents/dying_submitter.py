"""Submits a graph from a file of ids and dies after its Nth trip; 0: lives, and says so."""

import os
import signal
import sys
from uuid import UUID, uuid4

from taskengine.models import Task
from taskengine.settings import current
from taskengine.store import graphs
from taskengine.store.records import record
from taskengine.store.sync import SyncStore

trip, parent, *ids = sys.argv[1:]
store = SyncStore(current().redis_url, current(), "{}")
new = [Task(id=UUID(id), capability="work", input={"do": "nothing"}, depends_on={UUID(parent)}) for id in ids]
operation = graphs.submit(str(uuid4()), [record(task, 1.0) for task in new])
answer, trips = None, 0
try:
    while True:
        call = operation.send(answer)
        answer = store.run(call)
        trips += 1
        if trips == int(trip):
            os.kill(os.getpid(), signal.SIGKILL)
except StopIteration:
    print(trips)
