"""An engine in one process for tests of your own: no server, no Celery, no waiting.

::

    from taskengine import Task, agent
    from taskengine.testing import Engine

    @agent("lint", capabilities={"lint"})
    def lint(task, context):
        if context.attempt == 1:
            raise OSError("no answer")
        return {"warnings": 0}

    with Engine() as engine:
        (task,) = engine.submit(Task(capability="lint"))
        engine.run_until_idle()
        assert engine.task(task).status == "retrying"
        engine.clock.advance(60)
        engine.run_until_idle()
        assert engine.task(task).result == {"warnings": 0}

What is real here: the scripts, both clients, the runner of the workers, every duty of the coordinator. What is not: the
server (fakeredis with Lua), Celery (a wake-up is taken from its queue by hand), and time, which stands still until
:class:`Clock` is turned. With pytest the fixture ``engine`` makes and closes one (:mod:`taskengine.testing.plugin`).

Needs ``pip install 'taskengine[testing]'``. Nothing is imported before it is asked for: pytest imports this package
in every project that has taskengine installed.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from taskengine.errors import AgentError, NeverDoneError, NeverIdleError, SettingsError

if TYPE_CHECKING:
    from taskengine.testing.clock import Clock
    from taskengine.testing.engine import Engine

__all__ = ["Clock", "Engine", "NeverDoneError", "NeverIdleError"]

_LATE = {"Clock": "taskengine.testing.clock", "Engine": "taskengine.testing.engine"}


def __getattr__(name: str) -> Any:
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        found = getattr(import_module(_LATE[name]), name)
    except ImportError as exc:
        raise _explained(exc) from exc
    globals()[name] = found
    return found


def _explained(exc: ImportError) -> Exception:
    missing = (exc.name or "").partition(".")[0]
    if missing in ("fakeredis", "lupa"):
        return SettingsError(f"taskengine.testing needs {missing}: pip install 'taskengine[testing]'")
    if missing == "workers":
        return AgentError(
            "a package 'workers' of your own hides taskengine's, which taskengine.testing needs; rename yours, or "
            "keep its folder off sys.path in these tests"
        )
    return exc
