"""What a submission may read of the machine: programs and libraries, Python, its environment, and this package.

That is all that `sandbox` binds, read-only. Beside it the box holds what it makes itself: lists of users and hosts
(`launcher`), /proc and /dev, and the empty folders that a submission may write to (`inner_wall`). The package is there
because the lessons import it, and with it the sources of the checks: that no answer calls them is watched, and that
none is copied from them is for the instructor to see.
"""

import site
import sys
from pathlib import Path

SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/sys/devices/system/cpu", "/etc/alternatives")
SYSTEM += ("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/fonts", "/etc/localtime")
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")


def readable() -> tuple[list[Path], dict[Path, Path]]:
    """The folders and files, none inside another, and the other names under which they are looked for.

    The folder that the package lies in is none of them, nor is the one that the grader was started in: submissions may
    lie there too.
    """
    package = Path(__file__).parents[2]
    others = map(Path, site.getsitepackages())
    names = [*map(Path, SYSTEM), Path(sys.base_prefix), Path(sys.prefix), package, *others]
    true = {name.absolute(): name.resolve() for name in names if name.exists()}
    paths = _outer(true.values())
    links = {name: path for name, path in true.items() if name != path and not _inside(name, paths)}
    return paths, {name: links[name] for name in _outer(links)}


def _outer(paths) -> list[Path]:
    kept: list[Path] = []
    for path in sorted(set(paths), key=lambda path: (len(path.parts), path)):
        kept += [] if _inside(path, kept) else [path]
    return kept


def _inside(path: Path, folders: list[Path]) -> bool:
    return any(folder == path or folder in path.parents for folder in folders)
