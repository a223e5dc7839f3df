"""Celery beat submits a graph each night, once: ``celery -A nightly_beat worker --beat`` beside ``taskengine up``.

The nominal moment is the idempotency key. Two beats, a message that is delivered twice, or a retry of the submit make
one graph. A message that comes more than an hour late is dropped by ``expires``, so the moment before now is the one
that was meant.
"""

import os
from datetime import UTC, datetime, timedelta

from celery import Celery
from celery.schedules import crontab

from taskengine import BlockingTaskAPI, Task

app = Celery("mine", broker=os.environ.get("CELERY_BROKER_URL", "redis://127.0.0.1:6379/0"))
app.conf.beat_schedule = {
    "nightly": {"task": "nightly", "schedule": crontab(hour=2, minute=0), "options": {"expires": 3600}}
}


@app.task(name="nightly")
def nightly():
    """Submit the graph of this night; the id of its run."""
    now = datetime.now(UTC)
    moment = now.replace(hour=2, minute=0, second=0, microsecond=0)
    moment -= timedelta(days=1) if moment > now else timedelta()
    parse = Task(name="parse", capability="lint", input={"path": "a.py"})
    check = Task(name="check", capability="lint", input={"path": "b.py"}, depends_on={parse.id})
    with BlockingTaskAPI() as api:
        stored = api.create_tasks([parse, check], idempotency_key=f"nightly {moment.isoformat()}")
    return str(stored[0].run_id)
