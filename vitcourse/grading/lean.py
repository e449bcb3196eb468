"""A quick start: what the grader's libraries would do at each start, and grading never uses, is left out."""

import gc
import re
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

# What nbgrader adds to a running Jupyter server; the formgrader, which is one, does not come through here.
SERVER = "nbgrader.server_extensions"
EXTENSIONS = ("assignment_list", "course_list", "validate_assignment", "formgrader")
# Of modules that are slow to load, or load many others (setuptools, requests), what nbgrader and nbconvert take from
# them and use elsewhere.
UNUSED = {
    "bs4": ("BeautifulSoup",),
    "rapidfuzz": ("fuzz",),
    "nbconvert.postprocessors": (),
    "setuptools.archive_util": ("unpack_archive", "unpack_tarfile", "unpack_zipfile"),
    "nbgrader.auth.jupyterhub": ("JupyterHubAuthPlugin",),
}
REVISION = re.compile(r"^(down_)?revision = '(\w+)'", re.MULTILINE)


@contextmanager
def lean() -> Iterator[None]:
    """Inside it a process that grades loads its libraries, nbformat and nbgrader among them."""
    _leave_out()
    gc.disable()  # a library makes many objects and next to no garbage: looking for it is a tenth of the time
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def _leave_out() -> None:
    # jsonschema compiles grammars of addresses, and loads a library of dates, when it finds these packages; no
    # notebook's format asks for either.
    for name in ("rfc3987_syntax", "isoduration"):
        sys.modules.setdefault(name, None)
    if "nbgrader" in sys.modules:
        return
    for name in (SERVER, *(f"{SERVER}.{extension}" for extension in EXTENSIONS)):
        module = sys.modules.setdefault(name, ModuleType(name))
        module.__path__ = []
        module.load_jupyter_server_extension = None
    for name, taken in UNUSED.items():
        vars(sys.modules.setdefault(name, ModuleType(name))).update(dict.fromkeys(taken))


def begin_gradebook(file: Path) -> None:
    """Writes its version into a new gradebook, for which nbgrader would start another Python with alembic."""
    if not file.exists():
        with closing(sqlite3.connect(file)) as gradebook, gradebook:
            gradebook.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
            gradebook.execute("INSERT INTO alembic_version VALUES (?)", (gradebook_version(),))


def gradebook_version() -> str:
    """The newest form of a gradebook: of nbgrader's changes to it, the one that no other change follows."""
    folder = Path(find_spec("nbgrader").origin).parent / "alembic" / "versions"
    found = [REVISION.findall(file.read_text(encoding="utf-8")) for file in folder.glob("*.py")]
    marks = [mark for marks in found for mark in marks]
    (last,) = {name for down, name in marks if not down} - {name for down, name in marks if down}
    return last
