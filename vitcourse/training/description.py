"""``run.json``: what a run folder says of its model, whatever the model names; the weights lie beside it.

It holds the ``kind`` of model ("signs", "faces"), the ``labels`` in the order of its answers, the ``preprocessing`` of
its images, the ``metrics`` of the weights that were kept, and the ``settings`` from which the model is made again. So
the two files are enough to use it: no code, no data and no log. Where the training has not ended, the checkpoint beside
them says how far it came.
"""

import json
import warnings
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import get_origin

import torch

from vitcourse.errors import CheckpointError, one_line, shown, some
from vitcourse.files import write_whole
from vitcourse.training.schedules import chosen_epoch

RUN = "run.json"
CHECKPOINT = "checkpoint.pt"
# Among the metrics of a training that has not ended, and only there.
REACHED, WANTED = "epochs_reached", "epochs_wanted"


class UnfinishedNote(UserWarning):
    """What is to be said of a model whose training has not ended. It is shown, and nothing is wrong with the model."""


@dataclass(frozen=True)
class Description:
    """See the module's docstring; ``metrics`` is empty until the training has ended."""

    kind: str
    labels: list[str]
    preprocessing: dict
    metrics: dict[str, float]
    settings: dict


def preprocessing(size: int) -> dict:
    """How every model of the course is given an image: stretched to a square, its values from -1 to 1."""
    return {"size": size, "resize": "stretch", "mean": [0.5, 0.5, 0.5], "deviation": [0.5, 0.5, 0.5]}


def measures(log: list[dict], choose: str = "") -> dict[str, float]:
    """Of a training's log, the numbers of the epoch whose weights were kept, but for the seconds."""
    kept = next((entry for entry in log if entry["epoch"] == chosen_epoch(log, choose)), {})
    return {name: value for name, value in kept.items() if name != "seconds"}


def as_text(description: Description) -> str:
    """A description as JSON; `parsed` reads it."""
    return json.dumps(asdict(description), indent=1) + "\n"


def describe(description: Description, out: Path) -> None:
    """Writes ``run.json`` into a run folder."""
    write_whole(out / RUN, as_text(description).encode())


def described(folder: str | Path, kind: str | None = None) -> Description:
    """Reads ``run.json`` of a run folder.

    Where the training has not ended, its metrics are those of the last checkpoint, and say how far it came.

    Args:
        kind: the kind of model that is wanted; any where it is None.

    Raises:
        CheckpointError: it is missing or damaged, of another kind, or it prepares its images in another way.
    """
    folder = Path(folder)
    if not folder.is_dir():
        is_file = "it is a file, and the folder of a run is wanted"
        raise CheckpointError(is_file if folder.exists() else "there is no such file or folder", folder)
    file = folder / RUN
    if not file.is_file():
        raise CheckpointError("there is no such file; is this the folder of a run?", file)
    try:
        found = parsed(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"it does not describe a run ({one_line(error)})", file) from error
    if kind not in (None, found.kind):
        raise CheckpointError(f"it describes a run of {shown(found.kind)}, and one of {kind!r} is wanted", file)
    return _as_reached(found, file.with_name(CHECKPOINT))


def _as_reached(found: Description, checkpoint: Path) -> Description:
    """``run.json`` is written when a training begins and when it ends, also one that makes a run longer."""
    try:
        state = torch.load(checkpoint, map_location="cpu", weights_only=True, mmap=True)  # no weights are read
        log, wanted, choose = state["log"], state["config"]["epochs"], state["config"]["choose"]
        if found.metrics and len(log) == wanted == found.settings["training"]["epochs"]:
            return found
        return replace(found, metrics=measures(log, choose) | {REACHED: len(log), WANTED: wanted})
    except Exception:  # there is none, or a damaged one, which matters to nobody but who resumes
        return found


def note_unfinished(description: Description, path: Path, more: str = "") -> None:
    """Warns of a model whose training has not ended, with an `UnfinishedNote`.

    Args:
        path: the run folder, or the file that was made of it.
        more: what its user lacks so long.
    """
    found = description.metrics
    if found and WANTED not in found:
        return
    told = "nothing in it says that its training has ended"
    if found:
        after = f"after epoch {found[REACHED]} of {found[WANTED]}{more}"
        told = f"its training was broken off {after}; `vitcourse train ... --resume` goes on with it"
    warnings.warn(UnfinishedNote(f"{path}: {told}"), stacklevel=3)


def parsed(text: str) -> Description:
    """A description from its JSON. Raises ValueError for what no run of the course says of itself."""
    content, names = json.loads(text), [one.name for one in fields(Description)]
    if lacks := names if not isinstance(content, dict) else [name for name in names if name not in content]:
        raise ValueError(f"it lacks {some(lacks)}")
    found = Description(**{name: content[name] for name in names})
    for one in fields(found):
        if not isinstance(value := getattr(found, one.name), get_origin(one.type) or one.type):
            raise ValueError(f"its {one.name}: {shown(value)}")
    if len(found.labels) < 2 or not all(isinstance(label, str) and label for label in found.labels):
        raise ValueError(f"its labels are {shown(found.labels)}; two names or more are expected")
    if twice := sorted({label for label in found.labels if found.labels.count(label) > 1}):
        raise ValueError(f"it has labels twice: {some(twice)}")
    if odd := [name for name, value in found.metrics.items() if not isinstance(value, int | float)]:
        raise ValueError(f"its metrics are no numbers: {some(odd)}")
    size = found.preprocessing.get("size")
    if not isinstance(size, int) or isinstance(size, bool) or size < 1:
        raise ValueError(f"its images have a size of {shown(size)}")
    ours = preprocessing(size)
    for name in sorted({*ours, *found.preprocessing}):
        if found.preprocessing.get(name) != ours.get(name):
            told = f"{name} {shown(found.preprocessing.get(name))}, and the course takes {shown(ours.get(name))}"
            raise ValueError(f"its images are prepared in another way: {told}")
    return found
