"""What ``celery -A workers`` loads: the engine's settings as Celery's.

Any process may be the first: without TASKENGINE_REDIS_URL this starts (or finds) the embedded Valkey. The
screening channel is installed here because Celery reads its configuration before it opens a connection.
"""

from taskengine import embedded as _embedded
from taskengine import settings as _settings
from taskengine import transport as _transport

_transport.install()
globals().update(_transport.celery_options(_settings.current(), _embedded.ensure(_settings.current())))
