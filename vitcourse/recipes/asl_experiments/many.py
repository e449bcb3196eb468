"""What the recipes of the lesson share: pictures, what is trained on them, and runs that can be taken up again."""

import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from vitcourse import results
from vitcourse.asl import SignRun
from vitcourse.asl.backbones.ours import SMALL_VIT
from vitcourse.data.asl import InMemory, load, synthesise
from vitcourse.recipes import Say
from vitcourse.training import TrainingConfig

SEEDS = (0, 1, 2, 3, 4)
PICTURES = {"train": 520, "valid": 520, "test": 0, "size": SMALL_VIT.image_size, "seed": 11}
# The first five of six blocks stay as they are, and what they give is stored. The last one hears both losses.
FROZEN = 5
RUN = SignRun(frozen_layers=FROZEN, augment=False, image_size=96, training=TrainingConfig(epochs=8, lr=1e-3))


def pictures(splits: Mapping[str, int]) -> list[InMemory]:
    """Rendered signs in memory: train and valid, and test where it has pictures."""
    with tempfile.TemporaryDirectory() as place:
        synthesise(Path(place) / "signs", **splits)
        names = [name for name in ("train", "valid", "test") if splits[name]]
        return [InMemory(load(Path(place) / "signs", name), splits["size"]) for name in names]


def every(
    name: str,
    content: dict,
    settings: Sequence[dict],
    one: Callable[[dict, int], dict],
    *,
    seconds: float,
    say: Say,
    seeds: Sequence[int] = SEEDS,
) -> Iterator[dict]:
    """Runs every setting with every seed, and yields the content with one row more after each.

    An unfinished record of the same content is taken up where it ended; a whole one is made anew.

    Args:
        name: of the record. content: what it says besides its rows. settings: each a dict with a "title".
        one: gives what a row holds of a setting and a seed.
        seconds: of the processor that a run takes, about, for what is said beforehand.
    """
    content = json.loads(json.dumps(content | {"settings": list(settings), "seeds": list(seeds)}))
    rows, spent, file = [], 0.0, results.FOLDER / f"{name}.json"
    if file.is_file():
        old = json.loads(file.read_text(encoding="utf-8"))
        if all(old.get(key) == value for key, value in content.items()):
            rows, spent = old["rows"], old["seconds"]
    todo = [(seed, setting) for seed in seeds for setting in settings]  # whole rounds: pairs from the beginning
    if len(rows) == len(todo):
        rows, spent = [], 0.0
    left = len(todo) - len(rows)
    say(f"{name}: {left} runs of about {seconds:.0f} s, {left * seconds / 3600:.2f} processor hours")
    for seed, setting in todo[len(rows) :]:
        started, busy = time.perf_counter(), time.process_time()
        found = one(setting, seed)
        busy = round(time.process_time() - busy, 1)
        spent += time.perf_counter() - started
        rows.append({"title": setting["title"], "seed": seed, **found, "cpu_seconds": busy})
        say(f"{setting['title']}, seed {seed}: {found['valid']['accuracy']:.1%} right, {busy} s")
        yield content | {"rows": rows, "seconds": spent}


def rounded(found: dict[str, float]) -> dict[str, float]:
    """Measures as a record keeps them."""
    return {name: round(value, 4) for name, value in found.items()}
