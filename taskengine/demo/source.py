"""Which modules a code base holds, and what each is called in an import.

A name follows from the folder that an import starts at. Those *bases* are the code base itself (for a
package: the folder that holds its topmost package), every ``src`` folder and every folder with a project
file, so ``src/shop/cart.py`` is ``shop.cart`` and each project of a monorepo has names of its own. A folder
without ``__init__.py`` is a namespace package of its base. Python files that belong to no package are modules
as well, and so are executables without a suffix that start with a Python shebang line.

Nothing that lies in the way stops the search: what cannot be read is kept with its reason. Folders behind
symbolic links are not entered: they lie in the code base anyhow or do not belong to it, and no loop can
arise.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from taskengine.errors import InvalidInputError

#: Bytes. A larger file is kept with that reason and not read: it is generated, or no source at all.
MAX_FILE_BYTES = 2 * 1024 * 1024

#: Folders that hold other people's code or copies, under any parent.
_FOREIGN = frozenset({"__pycache__", "__pypackages__", "node_modules", "site-packages", "dist-packages"})
#: Folders that builds write, unless they are packages themselves.
_BUILT = frozenset({"build", "dist"})
#: A folder that holds one of these is somebody's environment.
_ENVIRONMENT_MARKS = frozenset({"pyvenv.cfg", "conda-meta"})
_PROJECT_MARKS = frozenset({"pyproject.toml", "setup.py", "setup.cfg"})
_INIT = "__init__.py"


@dataclass(frozen=True, slots=True)
class Module:
    """One file of the code base."""

    #: Unique in the code base: the dotted name, with ``@path`` behind it when another file has the same.
    name: str
    #: Relative to the root, with ``/``.
    path: str
    #: The folder that imports of this module start at, relative to the root; ``""`` is the root.
    base: str
    #: The name as an import writes it.
    dotted: str
    #: An ``__init__.py``.
    is_package: bool
    #: Why it cannot be read, None if nothing is known against it.
    problem: str | None = None

    @property
    def package(self) -> str:
        """The dotted name of its package, ``""`` outside of packages; a package is its own."""
        return self.dotted if self.is_package else self.dotted.rpartition(".")[0]


@dataclass(frozen=True, slots=True)
class CodeBase:
    """The modules below one folder."""

    #: What was asked for, absolute.
    top: Path
    #: What all paths are relative to: *top*, or for a package the folder that holds its topmost package.
    root: Path
    #: Sorted by name.
    modules: tuple[Module, ...]
    #: Folders that could not be listed: path and reason.
    unlisted: tuple[tuple[str, str], ...] = ()


def find(path: str | Path) -> CodeBase:
    """Return the code base at *path*: a folder, a package or a single file.

    InvalidInputError if there is nothing at *path*, or no Python in it.
    """
    try:
        top = Path(path).expanduser().resolve(strict=True)
        root = _outside_packages(top if top.is_dir() else top.parent)
    except (OSError, RuntimeError, ValueError) as exc:  # RuntimeError: links in a circle, no home folder
        raise InvalidInputError(f"path: {exc}; name a folder or file with Python code", field="path") from exc
    if str(top) != _printable(str(top)):
        raise InvalidInputError(f"path: {_printable(str(top))} is not UTF-8; rename the folder", field="path")
    unlisted: list[tuple[str, str]] = []
    found = _walk(root, top, unlisted) if top.is_dir() else iter([(top, root)])
    modules = _uniquely_named([_module(root, file, base) for file, base in found])
    if not modules:
        why = f" ({unlisted[0][1]})" if unlisted else ""
        raise InvalidInputError(
            f"path: no Python module in {top}{why}; name a folder or file with Python code", field="path"
        )
    return CodeBase(top, root, modules, tuple(unlisted))


def _outside_packages(folder: Path) -> Path:
    """Return the nearest folder upwards that is no package, so that names start with the topmost package."""
    while (folder / _INIT).is_file() and folder.parent != folder:
        folder = folder.parent
    return folder


def _walk(root: Path, top: Path, unlisted: list[tuple[str, str]]) -> Iterator[tuple[Path, Path]]:
    """Yield every Python file below *top* with its base; folders that cannot be listed go to *unlisted*."""
    ahead = [(top, root)]
    while ahead:
        folder, base = ahead.pop()
        try:
            with os.scandir(folder) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as exc:
            shown = _printable(folder.relative_to(root).as_posix())
            unlisted.append((shown, exc.strerror or type(exc).__name__))
            continue
        names = {entry.name for entry in entries}
        if folder != top and _is_foreign(folder.name, names):
            continue
        base = folder if _is_base(folder.name, names) else base
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                ahead.append((Path(entry.path), base))
            elif _is_python(entry):
                yield Path(entry.path), base


def _is_foreign(name: str, entries: set[str]) -> bool:
    return (
        name.startswith(".")
        or name in _FOREIGN
        or name.endswith((".egg-info", ".dist-info"))
        or (name in _BUILT and _INIT not in entries)
        or not _ENVIRONMENT_MARKS.isdisjoint(entries)
    )


def _is_base(name: str, entries: set[str]) -> bool:
    return _INIT not in entries and (name == "src" or not _PROJECT_MARKS.isdisjoint(entries))


def _is_python(entry: os.DirEntry[str]) -> bool:
    """Return a file that claims to be Python; whether it can be read is found out later."""
    if entry.name.endswith(".py"):
        return not _is_folder(entry)
    if "." in entry.name or not entry.is_file(follow_symlinks=False) or not os.access(entry.path, os.X_OK):
        return False
    try:
        with Path(entry.path).open("rb") as file:
            first = file.readline(200)
    except OSError:
        return False
    return first.startswith(b"#!") and b"python" in first


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads nowhere, in a circle or where we may not look
        return False


def _module(root: Path, file: Path, base: Path) -> Module:
    raw = file.relative_to(root).as_posix()
    inside = PurePosixPath(_printable(file.relative_to(base).as_posix()))
    is_package = inside.name == _INIT
    parts = inside.parent.parts if is_package else (*inside.parent.parts, inside.name.removesuffix(".py"))
    home = _printable(base.relative_to(root).as_posix())
    return Module(
        name="",  # given when all are known
        path=_printable(raw),
        base="" if home == "." else home,
        dotted=".".join(parts) or inside.stem,
        is_package=is_package,
        problem=_problem(file) if raw == _printable(raw) else "its name is not UTF-8",
    )


def _problem(file: Path) -> str | None:
    try:
        found = file.stat()
    except OSError as exc:
        return f"unreadable: {exc.strerror or type(exc).__name__}"
    if not stat.S_ISREG(found.st_mode):
        return "not a regular file"
    if found.st_size > MAX_FILE_BYTES:
        return f"too large: {found.st_size} bytes, read are files up to {MAX_FILE_BYTES}"
    return None


def _uniquely_named(modules: Iterable[Module]) -> tuple[Module, ...]:
    """Return the modules by name; of several with one name, an import finds the first: packages before modules."""
    named: dict[str, Module] = {}
    for module in sorted(modules, key=lambda m: (m.dotted, not m.is_package, m.path)):
        name = module.dotted if module.dotted not in named else f"{module.dotted}@{module.path}"
        while name in named:  # only files with "@" or with bytes that are no UTF-8 in their names get here
            name += "@"
        named[name] = replace(module, name=name)
    return tuple(named[name] for name in sorted(named))


def _printable(path: str) -> str:
    """*path* as text that can be stored: bytes that are no UTF-8 become escapes."""
    return path.encode("utf-8", "backslashreplace").decode("utf-8")
