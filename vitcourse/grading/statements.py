"""What the text of a cell defines, imports and calls. Nothing is run."""

import ast
import contextlib
import re
import symtable
import warnings

COMMAND = "_ipython_line"
LONGEST = 50_000  # characters of a cell that are looked at as Python
CALL = re.compile(r"^checks\.(\w+\.\w+)\(\s*(\w+)", re.MULTILINE)
DEFINED = re.compile(r"^(?:async +)?(?:def|class) +(\w+)|^(\w+) *(?::[^=\n]+)?=(?!=)", re.MULTILINE)
# Names bound in these are not the cell's.
INNER = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
SCOPES = (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def tested(source: str) -> dict[str, str]:
    """The exercises whose checks a cell calls at the beginning of a line, with the name that each is called on."""
    return dict(CALL.findall(source))


def defined(source: str) -> set[str]:
    """The functions, classes and values that a cell defines at the beginning of a line, be the rest right or not."""
    return {first or second for first, second in DEFINED.findall(source)}


def extra(source: str, given: str) -> list[str]:
    """The statements of an altered cell that are a student's own, each as a text of its own.

    Left out is what stands in the given cell too, and what gives another value to a name of the given cell: that is
    what the given cell is put back for. Where the cell is no Python, or very much of it, it is all the student's own.

    Args:
        source: the cell as it was handed in.
        given: the cell as it was given out.
    """
    ours, theirs = statements(given), statements(source)
    if theirs is None:
        return [source]
    known = {ast.dump(node) for node in ours or ()}
    names = {name for node in ours or () for name in _bound(node)}
    own = [node for node in theirs if ast.dump(node) not in known and not _bound(node) & names]
    lines = source.split("\n")
    return [lines[node.lineno - 1] if _is_command(node) else ast.unparse(node) for node in own]


def uses(source: str) -> dict[str, set[str]]:
    """The names that a cell gives a value to, and for each the global names that it is made with, or calls later.

    Nothing for a cell that is no Python.
    """
    found: dict[str, set[str]] = {}
    for node in statements(source) or ():
        with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
            read = _globals(symtable.symtable(ast.unparse(node), "cell", "exec"))
            for name in _bound(node):
                found.setdefault(name, set()).update(read)
    return found


def _globals(table: symtable.SymbolTable) -> set[str]:
    own = {one.get_name() for one in table.get_symbols() if one.is_global() and one.is_referenced()}
    return own.union(*map(_globals, table.get_children()))


def statements(source: str) -> list[ast.stmt] | None:
    """A cell's statements; a line for IPython (``!pip``, ``%matplotlib``) is a call of `COMMAND`."""
    lines = source.split("\n")
    marked = [f"{COMMAND}({line!r})" if line.startswith(("!", "%")) else line for line in lines]
    for text in (source, "\n".join(marked)):
        with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if len(text) <= LONGEST and not source.startswith("%%"):
                tree = compile(text, "cell", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
                ast.unparse(tree)
                return tree.body
    return None


def _is_command(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and ast.unparse(node).startswith(f"{COMMAND}(")


def _bound(statement: ast.stmt) -> set[str]:
    """The names that a statement gives a value to."""
    names, todo = set(), [statement]
    while todo:
        node = todo.pop()
        if isinstance(node, INNER):
            names.add(node.name)
            continue
        if isinstance(node, SCOPES):
            continue
        if isinstance(node, ast.Import | ast.ImportFrom):
            names |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            names.add(node.id)
        todo += ast.iter_child_nodes(node)
    return names
