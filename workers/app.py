"""The Celery application that ``celery -A workers`` finds.

The configuration is loaded by the place of this package, not by name: Celery puts the current folder first on the
path, and a ``celeryconfig.py`` of somebody else's would win there.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

from celery import Celery

from taskengine.errors import TaskEngineError

_CONFIG = Path(__file__).resolve().parent.parent / "celeryconfig.py"


def _load_config(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("taskengine_celeryconfig", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is missing; install taskengine again")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except TaskEngineError as exc:  # Celery would show it at the end of a traceback
        raise SystemExit(f"taskengine: {exc}") from exc
    return module


app = Celery("taskengine", include=["workers.slot", "workers.lifecycle"])
app.config_from_object(_load_config(_CONFIG))
