"""Our ``workers`` package, also where a folder holds another one of that name.

Celery puts the current folder first on the path for ``celery -A workers``, so a package of the user's own
wins there. The command line therefore loads the one that was installed with taskengine by its place,
before Celery looks for it, and says when there is another.
"""

from __future__ import annotations

import importlib.util
import sys
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType

from taskengine.errors import AgentError

_NAME = "workers"
#: The folder that holds both packages; they are installed together.
_HOME = Path(__file__).resolve().parents[2]


def foreign(folder: Path) -> Path | None:
    """Return where ``celery -A workers``, started in *folder*, would find another package of that name; None if
    nowhere.
    """
    found = PathFinder.find_spec(_NAME, [str(folder), *sys.path])
    if found is None:
        return None
    places = [found.origin] if found.origin else list(found.submodule_search_locations or ())
    place = Path(places[0]).resolve() if places else None
    return None if place is None or _is_ours(place) else place


def _is_ours(place: Path) -> bool:
    """Whether it is the installed package or a copy, as in a checkout from which taskengine was installed."""
    ours = _HOME / _NAME / "__init__.py"
    return place.is_relative_to(ours.parent) or (place.is_file() and place.read_bytes() == ours.read_bytes())


def foreign_sentence(place: Path) -> str:
    """Return what to say about a foreign package at *place*."""
    return (
        f"{place} is a package {_NAME!r} that is not taskengine's: plain 'celery -A workers' would load it "
        "from here. 'taskengine worker' and 'taskengine up' use their own; start Celery from another folder, "
        "or rename yours"
    )


def load() -> ModuleType:
    """Our package, from now on the one that every ``import workers`` of this process gets."""
    known = sys.modules.get(_NAME)
    if known is not None and Path(known.__file__ or "").resolve().is_relative_to(_HOME / _NAME):
        return known
    home = _HOME / _NAME
    spec = importlib.util.spec_from_file_location(_NAME, home / "__init__.py", submodule_search_locations=[str(home)])
    if spec is None or spec.loader is None or not home.is_dir():
        raise AgentError(f"{home} is missing; install taskengine again")
    module = importlib.util.module_from_spec(spec)
    sys.modules[_NAME] = module
    spec.loader.exec_module(module)
    return module
