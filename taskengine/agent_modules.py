"""Imports the modules that declare agents, for whoever starts a worker: what is wrong with one is a sentence that
names the module and the line.
"""

from __future__ import annotations

import importlib
import traceback
from pathlib import Path
from types import ModuleType

from taskengine.errors import AgentError, TaskEngineError


def import_agents(module: str, *, option: str) -> ModuleType:
    """Import a module of agents; AgentError says what is wrong with its name or its text.

    *option* is the word with which the module was named.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as exc:
        if exc.name is not None and (module + ".").startswith(exc.name + "."):
            raise AgentError(
                f"{option} {module}: there is no such module in {Path.cwd()} or on the Python path; start in "
                "the folder that holds it, or install it"
            ) from exc
        raise AgentError(f"{option} {module}: it imports {exc.name}, which is not installed") from exc
    except (ImportError, SyntaxError) as exc:
        raise AgentError(f"{option} {module}: {type(exc).__name__}: {exc}") from exc
    except TaskEngineError:
        raise
    except SystemExit as exc:
        raise AgentError(
            f"{option} {module}: it called exit({exc.code!r}) while it was imported ({_place(exc)}); let it do so "
            "only below: if __name__ == '__main__'"
        ) from exc
    except Exception as exc:
        said = traceback.format_exception_only(exc)[-1].strip()
        raise AgentError(
            f"{option} {module}: it raised while it was imported ({_place(exc)}): {said}; mend it, or move that into "
            "an agent"
        ) from exc


def _place(exc: BaseException) -> str:
    """File and line, the deepest of the current folder if any is."""
    frames = traceback.extract_tb(exc.__traceback__)
    theirs = [frame for frame in frames if frame.filename.startswith(f"{Path.cwd()}/")]
    where = (theirs or frames)[-1]
    return f"{where.filename.rpartition('/')[2]}:{where.lineno}"
