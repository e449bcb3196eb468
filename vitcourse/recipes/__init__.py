"""The programs that train the course's models and make ``book/results`` (``vitcourse record NAME``), by lesson.

A recipe is the function ``record`` of a module, under `recipe`; the module has the recipe's name.
"""

import re
import time
from collections.abc import Callable, Sequence
from functools import wraps
from inspect import isgenerator
from pathlib import Path

from vitcourse.errors import InputError

Say = Callable[[str], None]  # takes one line of progress
MARK = re.compile(r'^@recipe\("(\w+)"', re.MULTILINE)


def recipe(
    name: str, *, needs_data: bool = False, takes_data: bool = False, presets: Sequence[str] = ()
) -> Callable[[Callable], Callable]:
    """Makes ``record(data=None, say=print, preset=None) -> Path`` of a function that gives what is recorded.

    The function gets ``say``; where data are needed, or may be given, the folder comes before it. What it returns is
    the content of ``book/results/NAME.json``. It may yield it instead, as it grows: the file is written anew each time.
    Content for a file of another name is a pair (name, content), so that a recipe can write several: the last is what
    ``record`` gives. The seconds and the provenance are added here; content that has "seconds" already, as of a run in
    several goes, keeps them.

    Args:
        needs_data: there is nothing to record without a folder of real data.
        takes_data: a folder or file may be given, and need not be.
        presets: the sizes in which it can be run, by name; the function gets one of them, ``preset``, the first where
            none is asked for. What another makes is recorded as ``NAME_PRESET.json``.

    Raises:
        InputError: by what it makes, where data are missing, or given and of no use; for a preset that it has not.
    """

    def decorate(function: Callable) -> Callable:
        @wraps(function)
        def record(data: str | Path | None = None, say: Say = print, preset: str | None = None) -> Path:
            from vitcourse import results

            if needs_data and data is None:
                raise InputError(f"{name} needs real data: name their folder with --data")
            if data is not None and not (needs_data or takes_data):
                raise InputError(f"{name} takes no data: leave --data out")
            if preset is not None and not presets:
                raise InputError(f"{name} has no presets: leave --preset out")
            if preset is not None and preset not in presets:
                raise InputError(f"{name} has no preset {preset!r}; it has: {', '.join(presets)}")
            chosen = {"preset": preset or presets[0]} if presets else {}
            written = name if preset in (None, *presets[:1]) else f"{name}_{preset}"
            started = time.perf_counter()
            folder = None if data is None else Path(data)
            given = (folder, say) if needs_data or takes_data else (say,)
            made, files = function(*given, **chosen), {}
            for part in made if isgenerator(made) else [made]:
                own_name, content = part if isinstance(part, tuple) else (written, part)
                seconds = content.get("seconds", time.perf_counter() - started)
                files[results.write(own_name, content, seconds)] = None
            *others, last = files
            for file in others:
                say(f"wrote {file}")
            return last

        return record

    return decorate


def modules() -> dict[str, str]:
    """The module of every recipe by the recipe's name: read off the files, so that none is imported."""
    files = sorted(Path(__file__).parent.glob("*/*.py"))
    found = {name: file for file in files for name in MARK.findall(file.read_text(encoding="utf-8"))}
    return {name: f"{__name__}.{found[name].parent.name}.{found[name].stem}" for name in sorted(found)}
