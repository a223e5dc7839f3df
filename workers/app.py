"""The Celery application that ``celery -A workers`` finds.

The configuration is loaded by the place of this package, not by name: Celery puts the current folder first on the
path, and a ``celeryconfig.py`` of somebody else's would win there.

So is what is named with ``-I``, by the same words as ``taskengine worker --import``: a module that calls ``exit`` would
end Celery's worker without any.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

from celery import Celery
from celery.loaders.app import AppLoader

from taskengine.agent_modules import import_agents
from taskengine.errors import TaskEngineError

_OURS = ["workers.slot", "workers.lifecycle"]
#: Modules that this process was told to import, with ``-I`` or in the configuration.
imported: set[str] = set()
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


class AgentLoader(AppLoader):
    """Imports modules of agents so that whatever they do wrong is one sentence."""

    def import_task_module(self, module: str) -> Any:
        if module not in _OURS:
            imported.add(module)
            try:
                self.import_from_cwd(module, imp=_import)
            except TaskEngineError as exc:
                raise SystemExit(f"taskengine: {exc}") from exc
        return super().import_task_module(module)


def _import(module: str, **_: Any) -> ModuleType:
    return import_agents(module, option="-I")


app = Celery("taskengine", loader=AgentLoader, include=_OURS)
app.config_from_object(_load_config(_CONFIG))
