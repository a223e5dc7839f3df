"""Which modules of a code base import which, and where they do so in a circle.

**The rule.** A module depends on the modules of the code base that its import statements *name*, each at its
full length: ``import a.b.c`` names ``a.b.c``; ``from a.b import c`` names ``a.b.c`` if that is a module, else
``a.b``; ``from a.b import *`` names ``a.b``. The ``__init__`` of ``a`` and of ``a.b`` run as well, but are
not counted: every module of a package would depend on its ``__init__``, and each ``__init__`` that gathers
its modules would close a circle that nobody wrote. A name that is no module of the code base is no
dependency, nor is a module's import of itself.

Imports inside functions, under ``if TYPE_CHECKING`` and in ``try`` count like all others; an edge knows
whether one of its statements runs when the module is loaded. ``importlib.import_module`` and ``__import__``
are not seen.

**Where a name is looked for.** Relative ones in the module's own base; absolute ones in its base, then in any
other, then from the root of the code base (``from src.shop import cart``), and last beside a module that
belongs to no package, as Python does for a script.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import networkx as nx  # type: ignore[import-untyped]  # it ships no types; what comes back is annotated here

from taskengine.core.cycles import shortest_cycle
from taskengine.core.graph import execution_order
from taskengine.demo.source import CodeBase, Module
from taskengine.demo.text import read


@dataclass(frozen=True, slots=True)
class Named:
    """What an import statement names; ``from ..a import b`` is level 2, module ``a``, name ``b``."""

    level: int
    module: str
    #: None for ``import a.b``.
    name: str | None
    #: It runs when the module is loaded: not in a function, not under TYPE_CHECKING.
    at_load: bool


@dataclass(frozen=True, slots=True)
class Imports:
    """What one module imports."""

    #: Modules of the code base by name; True if one of the statements runs when the module is loaded.
    inside: Mapping[str, bool]
    #: Topmost packages that the code base does not hold, sorted.
    outside: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cycle:
    """Modules that import each other in a circle."""

    #: A shortest circle among them, the first repeated at the end; each imports the next.
    path: tuple[str, ...]
    #: Some circle among them is made of imports that run when a module is loaded.
    at_load: bool


@dataclass(frozen=True, slots=True)
class Unit:
    """What is analysed as one: a module, or all modules of a cycle."""

    #: Sorted.
    modules: tuple[str, ...]
    cycle: Cycle | None = None

    @property
    def key(self) -> str:
        """Its first module, which no other unit holds."""
        return self.modules[0]

    @property
    def name(self) -> str:
        """The module, or a cycle's first with the number of the others: ``email.message +4``."""
        return f"{self.key} +{len(self.modules) - 1}" if self.cycle else self.key


def import_graph(code_base: CodeBase) -> dict[str, Imports]:
    """Return what every module imports; one that cannot be read or parsed imports nothing."""
    index = _Index(code_base.modules)
    return {module.name: _imports(index, code_base, module) for module in code_base.modules}


def units(graph: Mapping[str, Imports]) -> list[Unit]:
    """Return the modules with every cycle merged, each unit after all that it imports; equal at every call."""
    whole = nx.DiGraph()
    whole.add_nodes_from(graph)
    whole.add_edges_from((name, target) for name, imports in graph.items() for target in imports.inside)
    merged = {
        unit.key: unit for unit in (_unit(graph, part) for part in nx.strongly_connected_components(whole))
    }
    home = home_of(merged.values())
    parents = {key: imported_units(graph, home, merged[key]) for key in sorted(merged)}
    return [merged[key] for key in execution_order(parents, key=str)]


def home_of(all_units: Iterable[Unit]) -> dict[str, str]:
    """Return the key of the unit that each module belongs to."""
    return {module: unit.key for unit in all_units for module in unit.modules}


def imported_units(graph: Mapping[str, Imports], home: Mapping[str, str], unit: Unit) -> list[str]:
    """Return the keys of the other units that a unit's modules import, sorted."""
    wanted = {home[target] for name in unit.modules for target in graph[name].inside}
    return sorted(wanted - {unit.key})


def named(tree: ast.Module) -> Iterator[Named]:
    """Everything that the import statements of a module name, wherever they stand."""
    ahead: list[tuple[ast.AST, bool]] = [(tree, True)]
    while ahead:
        node, at_load = ahead.pop()
        match node:
            case ast.Import():
                yield from (Named(0, alias.name, None, at_load) for alias in node.names)
            case ast.ImportFrom():
                yield from (Named(node.level, node.module or "", alias.name, at_load) for alias in node.names)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                ahead += [(inner, False) for inner in node.body]
            case ast.If() if _asks_type_checking(node.test):
                ahead += [(inner, False) for inner in node.body]
                ahead += [(inner, at_load) for inner in node.orelse]
            case _:
                ahead += [(inner, at_load) for inner in _blocks(node)]


def _blocks(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the statements inside a statement; expressions hold none, and skipping them is what makes this fast."""
    for block in ("body", "handlers", "orelse", "finalbody", "cases"):
        yield from getattr(node, block, ())


def _asks_type_checking(test: ast.expr) -> bool:
    match test:
        case ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING"):
            return True
    return False


class _Index:
    """The modules of a code base, to be found by what an import writes."""

    def __init__(self, modules: Iterable[Module]) -> None:
        self._in_base: dict[tuple[str, str], str] = {}
        self._anywhere: dict[str, str] = {}
        self._packages: set[tuple[str, str]] = set()
        self._from_root: dict[str, str] = {}
        for module in modules:  # sorted by name: the first of several with one dotted name has it without "@"
            self._in_base.setdefault((module.base, module.dotted), module.name)
            self._anywhere.setdefault(module.dotted, module.name)
            self._from_root.setdefault(_path_as_name(module), module.name)
            if module.is_package:
                self._packages.add((module.base, module.dotted))
        self._tops = {dotted.partition(".")[0] for dotted in (*self._anywhere, *self._from_root)}

    def find(self, module: Module, wanted: Named) -> str | None:
        """Return the name of the module of the code base that *wanted* means in *module*; None if it is none."""
        start = _start_of_relative(module, wanted) if wanted.level else wanted.module
        if start is None:
            return None
        look = self._relative if wanted.level else self._absolute
        return (look(module, f"{start}.{wanted.name}") if wanted.name else None) or look(module, start)

    def holds_top_of(self, wanted: Named) -> bool:
        """Return whether the code base has something of the topmost package of an absolute import."""
        return wanted.module.partition(".")[0] in self._tops

    def _relative(self, module: Module, dotted: str) -> str | None:
        return self._in_base.get((module.base, dotted))

    def _absolute(self, module: Module, dotted: str) -> str | None:
        return (
            self._in_base.get((module.base, dotted))
            or self._anywhere.get(dotted)
            or self._from_root.get(dotted)
            or self._beside(module, dotted)
        )

    def _beside(self, module: Module, dotted: str) -> str | None:
        folder = module.package
        if not folder or (module.base, folder) in self._packages:
            return None
        return self._in_base.get((module.base, f"{folder}.{dotted}"))


def _start_of_relative(module: Module, wanted: Named) -> str | None:
    """Return the package or module behind the dots; None if they lead out of the topmost package."""
    parts = module.package.split(".") if module.package else []
    if wanted.level > len(parts):
        return None
    kept = parts[: len(parts) - wanted.level + 1]
    return ".".join([*kept, wanted.module] if wanted.module else kept)


def _path_as_name(module: Module) -> str:
    return module.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _imports(index: _Index, code_base: CodeBase, module: Module) -> Imports:
    tree = None if module.problem else read(code_base.root, module.path).tree
    inside: dict[str, bool] = {}
    outside: set[str] = set()
    for wanted in named(tree) if tree else ():
        target = index.find(module, wanted)
        if target is None and not wanted.level and not index.holds_top_of(wanted):
            outside.add(wanted.module.partition(".")[0])
        elif target is not None and target != module.name:
            inside[target] = inside.get(target, False) or wanted.at_load
    return Imports(dict(sorted(inside.items())), tuple(sorted(outside)))


def _unit(graph: Mapping[str, Imports], part: Collection[str]) -> Unit:
    modules = tuple(sorted(part))
    if len(modules) == 1:
        return Unit(modules)
    among = {name: [to for to in graph[name].inside if to in part] for name in modules}
    loading = {name: [to for to in targets if graph[name].inside[to]] for name, targets in among.items()}
    at_load = _has_cycle(loading)
    return Unit(modules, Cycle(tuple(shortest_cycle(loading if at_load else among)), at_load))


def _has_cycle(graph: Mapping[str, Collection[str]]) -> bool:
    whole: Any = nx.DiGraph((name, target) for name, targets in graph.items() for target in targets)
    return not nx.is_directed_acyclic_graph(whole)
