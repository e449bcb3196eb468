"""What Python code says that it uses of the package ``vitcourse``, read from its syntax. Nothing is run.

`reach` follows what is read here through the files of the package.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache

PACKAGE = "vitcourse"
PROGRAM = re.compile(rf"\b(?:import|from)\s+{PACKAGE}\b")
# What runs code, or looks for modules, that no import statement names.
BUILT_IN = {"__import__", "exec", "eval"}
LOADER = "import_module"
HIDDEN = {
    LOADER,
    *("run_path", "run_module", "spec_from_file_location", "exec_module", "load_module", "reload"),
    *("iter_modules", "walk_packages", "run_cell", "run_cell_magic", "run_line_magic"),
}


def is_ours(name: str) -> bool:
    return name == PACKAGE or name.startswith(f"{PACKAGE}.")


@dataclass
class Reading:
    """What one module, or the code of one notebook, says. Names are dotted and absolute.

    Args:
        imports: what its import statements name: modules, and what is taken out of them.
        bindings: each local name and what it may stand for.
        uses: what it mentions otherwise, as far as attributes follow each other.
        calls: what it calls, with the first argument where that is a string that is written out.
        stars: modules that everything is imported from.
        families: packages of which it loads modules by a name that is computed.
        strings: all strings that are written out.
        defined: names that a module gives itself at its top level.
        lazy: it has a function ``__getattr__``, which may load what it is asked for.
        opaque: it cannot be told what it loads.
    """

    imports: set[str] = field(default_factory=set)
    bindings: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    uses: set[str] = field(default_factory=set)
    calls: set[tuple[str, str | None]] = field(default_factory=set)
    stars: set[str] = field(default_factory=set)
    families: set[str] = field(default_factory=set)
    strings: set[str] = field(default_factory=set)
    defined: set[str] = field(default_factory=set)
    lazy: bool = False
    opaque: bool = False


@cache
def read(source: str, module: str = "", is_package: bool = False) -> Reading:
    """Read the source of a module.

    Args:
        module: its dotted name; empty for the code of a notebook.
        is_package: it is the ``__init__`` of a package.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return Reading(opaque=True)
    reader = Reader(module, is_package)
    reader.visit(tree)
    for node in tree.body:
        reader.found.defined |= set(names_given(node))
    reader.follow_names()
    return reader.found


def names_given(node: ast.stmt) -> Iterable[str]:
    """The names that a statement at the top level surely gives."""
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        yield node.name
    elif isinstance(node, (ast.Import, ast.ImportFrom)):
        yield from (alias.asname or alias.name.partition(".")[0] for alias in node.names)
    elif isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            yield from (name.id for name in ast.walk(target) if isinstance(name, ast.Name))


class Reader(ast.NodeVisitor):
    """Collects a `Reading`; names are followed when all that binds them has been seen."""

    def __init__(self, module: str, is_package: bool):
        self.module, self.found = module, Reading()
        self.is_package = is_package
        self.package = module if is_package else module.rpartition(".")[0]
        self.mentions: list[tuple[list[str], ast.Call | None]] = []
        self.answering = False  # inside of a package's __getattr__

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            if is_ours(alias.name):
                self.found.imports.add(alias.name)
                self.found.bindings[alias.asname or PACKAGE].add(alias.name if alias.asname else PACKAGE)
            self.found.opaque |= self.starts_programs(alias.name)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        base = self.absolute(node)
        self.found.opaque |= self.starts_programs(base)
        for alias in node.names:
            if not is_ours(base):
                # Under another name, a loader would not be seen where it is called.
                plain = alias.name == LOADER and alias.asname is None
                self.found.opaque |= alias.name in HIDDEN and not plain
            elif alias.name == "*":
                self.found.imports.add(base)
                self.found.stars.add(base)
            else:
                name = f"{base}.{alias.name}"
                self.found.imports |= {base, name}
                self.found.bindings[alias.asname or alias.name].add(name)

    def starts_programs(self, imported: str) -> bool:
        """Whether a notebook may run the package in another process; a module that does so says it with ``-m``."""
        return not self.module and imported == "subprocess"

    def absolute(self, node: ast.ImportFrom) -> str:
        """The module that is imported from, whose name may be relative to the own package."""
        if not node.level:
            return node.module or ""
        parts = self.package.split(".")
        parts = parts[: len(parts) - node.level + 1]
        return ".".join([*parts, node.module] if node.module else parts)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        before = self.answering
        if self.is_package and node.name == "__getattr__":  # its own, or that of the class of its parts
            self.answering = True
            self.found.lazy |= node.col_offset == 0
        self.generic_visit(node)
        self.answering = before

    def visit_Expr(self, node: ast.Expr) -> None:
        if not (isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)):  # not a docstring
            self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str):
            self.found.strings.add(node.value)
            self.found.opaque |= PROGRAM.search(node.value) is not None

    def visit_Call(self, node: ast.Call) -> None:
        chain = chain_of(node.func)
        if chain and chain[-1] == LOADER:
            self.load(node)
        elif chain:
            self.mentions.append((chain, node))
        else:
            self.visit(node.func)
        for argument in (*node.args, *(keyword.value for keyword in node.keywords)):
            self.visit(argument)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if chain := chain_of(node):
            self.mentions.append((chain, None))
        else:
            self.found.opaque |= node.attr in HIDDEN
            self.visit(node.value)

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self.mentions.append(([node.id], None))

    def follow_names(self) -> None:
        """Say what the names that are mentioned stand for."""
        for chain, call in self.mentions:
            name, *rest = chain
            self.found.opaque |= name in BUILT_IN or not HIDDEN.isdisjoint(chain)
            for meant in (*self.found.bindings.get(name, ()), *(f"{star}.{name}" for star in self.found.stars)):
                dotted = ".".join([meant, *rest])
                if call is None:
                    self.found.uses.add(dotted)
                else:
                    self.found.calls.add((dotted, text_of(call.args[0]) if call.args else None))

    def load(self, call: ast.Call) -> None:
        """What a call of ``import_module`` loads: a name that is written out, or one whose beginning is."""
        argument = call.args[0] if len(call.args) == 1 and not call.keywords else None
        name = text_of(argument)
        begin = name or beginning_of(argument, self.module)
        first, dot, _ = begin.partition(".")
        if not first or not (name or dot):
            self.found.opaque = True
        elif first != PACKAGE:
            return
        elif name:
            self.found.imports.add(name)
        elif not (self.answering and begin.startswith(f"{self.module}.")):  # else it is counted where it is asked for
            self.found.families.add(begin.rpartition(".")[0])


def chain_of(node: ast.expr) -> list[str]:
    """The names of ``a.b.c``; empty where it does not begin with a name."""
    rest = []
    while isinstance(node, ast.Attribute):
        rest.append(node.attr)
        node = node.value
    return [node.id, *reversed(rest)] if isinstance(node, ast.Name) else []


def text_of(node: ast.expr | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def beginning_of(node: ast.expr | None, module: str) -> str:
    """The written beginning of an f-string, in which ``{__name__}`` may come first; empty for all else."""
    begin = ""
    for part in node.values if isinstance(node, ast.JoinedStr) else ():
        own = isinstance(part, ast.FormattedValue) and chain_of(part.value) == ["__name__"]
        text = module if own else text_of(part)
        if not text:
            break
        begin += text
    return begin
