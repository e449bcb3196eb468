"""Code that looks for a way round an exercise, found by reading it; nothing is run.

These are hints for a person, never points: an honest cell can have a reason for each of them, and who knows this file
can hide from it.
"""

import ast
import re

from vitcourse.grading.statements import statements

# Modules that reach another process or thread, or into the interpreter.
MODULES = {
    **dict.fromkeys(("threading", "_thread", "concurrent", "asyncio", "multiprocessing"), "runs code beside its own"),
    **dict.fromkeys(("subprocess", "pty", "socket"), "starts or calls another program"),
    **dict.fromkeys(("inspect", "gc", "types", "dis", "traceback", "importlib", "builtins"), "looks into the program"),
    **dict.fromkeys(("ctypes", "cffi", "_ctypes", "marshal", "pickle", "sysconfig"), "goes past Python's own rules"),
    **dict.fromkeys(("vitcourse", "tests", "nbgrader"), "uses the course's own code"),
}
# Names behind a dot.
ATTRIBUTES = {
    **dict.fromkeys(("fork", "system", "popen", "execv", "execve", "posix_spawn"), "starts another program"),
    **dict.fromkeys(("setprofile", "settrace", "_getframe", "modules", "monitoring"), "looks into the program"),
    **dict.fromkeys(("f_back", "f_globals", "f_locals", "f_code", "tb_frame", "gi_frame"), "looks into the program"),
    **dict.fromkeys(
        ("__code__", "__globals__", "__closure__", "__subclasses__", "__builtins__"), "looks into functions"
    ),
    **dict.fromkeys(
        ("_C", "jit", "_dispatch", "_python_dispatch", "overrides", "fx"), "goes below PyTorch's functions"
    ),
    "multi_head_attention_forward": "uses a finished answer",
    "_disable_current_modes": "goes below PyTorch's functions",
}
CALLS = dict.fromkeys(("exec", "eval", "compile", "__import__"), "runs code that it holds as text")
DISGUISE = ("__name__", "__qualname__", "__module__", "__class__")  # honest code reads them, and sets none
EQUALS = ("__eq__", "__torch_function__", "__torch_dispatch__", "__instancecheck__")
OTHER_PROGRAM = re.compile(r"^[ \t]*(%%(bash|sh|script|python|writefile)|[!%](?!.*\bpip\b).*\bpython).*", re.MULTILINE)


def hints(source: str, given: frozenset[str] = frozenset()) -> list[tuple[str, str]]:
    """Lines of a cell and what is odd about each, in the order of the cell.

    Args:
        source: a cell of a student's own.
        given: the modules that the assignment itself imports.
    """
    found = [(line[0].strip(), "runs another program") for line in OTHER_PROGRAM.finditer(source)]
    lines = source.split("\n")
    modules = {"torch", "checks", "np", "math"}
    for statement in statements(source) or ():
        for node in ast.walk(statement):
            if isinstance(node, ast.Import | ast.ImportFrom):
                modules |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
            for words in _odd(node, given, modules):
                line = lines[node.lineno - 1].strip() if hasattr(node, "lineno") else ast.unparse(node)
                found.append((line, words))
    return list(dict.fromkeys(found))


def imported(source: str) -> frozenset[str]:
    """The modules that a cell imports."""
    nodes = (node for statement in statements(source) or () for node in ast.walk(statement))
    return frozenset(name for node in nodes for name in _modules(node))


def _modules(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [f"{node.module}.{alias.name}" for alias in node.names]
    return []


def _odd(node: ast.AST, given: frozenset[str], modules: set[str]) -> list[str]:
    """What is odd about a node itself, not about what lies in it."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        names = [name for name in _modules(node) if name not in given]
        parts = [part for name in names for part in (name.partition(".")[0], name.rpartition(".")[2])]
        return [words for part in parts if (words := MODULES.get(part) or ATTRIBUTES.get(part))]
    if isinstance(node, ast.Attribute):
        if isinstance(node.ctx, ast.Store) and (node.attr in DISGUISE or _root(node) in modules):
            honest = node.attr not in DISGUISE and "backends" in ast.unparse(node)
            return [] if honest else ["gives something another's name, or puts its own in a library's place"]
        return [ATTRIBUTES[node.attr]] if node.attr in ATTRIBUTES else []
    if isinstance(node, ast.Name) and node.id in ("__builtins__", "__loader__"):
        return ["looks into the program"]
    if isinstance(node, ast.Call):
        return _odd_call(node)
    if isinstance(node, ast.ClassDef):
        own = {part.name for part in node.body if isinstance(part, ast.FunctionDef)}
        bases = {ast.unparse(base).rpartition(".")[2] for base in node.bases}
        if own & set(EQUALS) or bases & {"int", "float", "bool", "str", "Tensor"}:
            return ["makes a kind of value of its own, which may claim to be equal to any"]
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("/proc/"):
        return ["looks into the system"]
    return []


def _odd_call(node: ast.Call) -> list[str]:
    called = node.func.id if isinstance(node.func, ast.Name) else ""
    if called in CALLS:
        return [CALLS[called]]
    if called in ("getattr", "setattr", "delattr") and len(node.args) > 1:
        name = node.args[1].value if isinstance(node.args[1], ast.Constant) else None
        if called != "getattr" or not isinstance(name, str) or name.startswith("_") or name in ATTRIBUTES:
            return ["reaches a name by its text"]
    if any(keyword.arg and keyword.arg.startswith("co_") for keyword in node.keywords):
        return ["rewrites the code of a function"]
    if ast.unparse(node.func).startswith("checks.") and ast.unparse(node.func).count(".") > 2:
        return ["uses the course's own code"]
    return []


def _root(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""
