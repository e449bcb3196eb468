"""The recorded run ``asl_hulls``: boxes that grew, and how much of it is undone, on rendered sets and on the real one.

On rendered sets the true boxes are known, so the correction is judged by them. On the real one, what is solved from the
copies stands in for the truth. Only numbers are kept.
"""

import json
import tempfile
from pathlib import Path

import torch
from torch import Tensor

from vitcourse.asl.metrics import aligned_iou
from vitcourse.data.asl import AslDataset, load, shrink, synthesise, tighten
from vitcourse.data.hulls import K, Tightened, cut_sides
from vitcourse.data.synthesis import TRUTH
from vitcourse.recipes import Say, recipe
from vitcourse.recipes.asl_data.asl_data import share
from vitcourse.recipes.asl_data.photos import identity

SEEDS = (0, 1, 2)
PHOTOS, COPIES, SIZE = 39, 3, 256
TRIED = (0.04, 0.06, 0.08, 0.1)  # constants


def overlap(boxes: Tensor, others: Tensor) -> dict[str, float]:
    """The mean IoU of boxes that belong together, and the share of 0.9 and more."""
    found = aligned_iou(boxes, others)
    return {"mean_iou": round(found.mean().item(), 4), "iou90": share(found >= 0.9)}


def mean_extent(boxes: Tensor, sizes: Tensor) -> list[float]:
    """Mean width and height of boxes, in pixels."""
    return [round(side, 2) for side in ((boxes[:, 2:] - boxes[:, :2]) * sizes).mean(0).tolist()]


def growth(dataset: AslDataset, tight: Tensor) -> dict[str, float]:
    """By how much whole boxes are longer than tight ones: as a share of their own side, and of the other one (k)."""
    whole = ~cut_sides(dataset.boxes, dataset.sizes).any(1)
    old, new = (((b[:, 2:] - b[:, :2]) * dataset.sizes)[whole] for b in (dataset.boxes, tight))
    own, other = (old / new - 1).mean(), (old - new).sum() / new.sum()
    return {"whole": int(whole.sum()), "of_own_side": round(own.item(), 4), "k": round(other.item(), 4)}


def told(found: Tightened) -> dict:
    """What `tighten` says, in numbers."""
    verdict = found.verdict
    nats = {model: [round(value, 3) for value in pair] for model, pair in verdict.nats.items()}
    noise = {model: round(pixels, 2) for model, pixels in verdict.noise.items()}
    return {"how": found.how, "hulls": verdict.hulls, "nats": nats, "noise": noise}


def rendered(seed: int, photos: int = PHOTOS, size: int = SIZE) -> dict:
    """One rendered set with hulls for boxes, and the same with tight ones, against what is true of both."""
    row: dict = {"seed": seed}
    for name in ("hulls", "tight"):
        with tempfile.TemporaryDirectory() as folder:
            out, hulls = Path(folder) / "set", name == "hulls"
            synthesise(out, photos, 0, 0, size, seed, form="yolo", copies=COPIES, hulls=hulls)
            dataset = load(out, "train")
            facts = json.loads((out / TRUTH).read_text(encoding="utf-8"))["train"]
            facts = [facts[Path(file).name] for file in dataset.files]
            true, found = torch.tensor([fact["box"] for fact in facts]), tighten(dataset)
        row[name] = told(found) | {"before": overlap(dataset.boxes, true), "after": overlap(found.boxes, true)}
        if hulls:
            row[name]["constant"] = {str(k): overlap(shrink(dataset.boxes, dataset.sizes, k), true) for k in TRIED}
            row[name]["growth"] = growth(dataset, true)
            row[name] |= _angles(found, facts)
    return row


def _angles(found: Tightened, facts: list[dict]) -> dict:
    """How far the inferred angles are from the true ones, in degrees, and the share within two deviations.

    The sign of the angles depends on whether the first copy was mirrored, which pixels do not tell.
    """
    true = torch.tensor([[fact["turn"], *fact["shear"]] for fact in facts])
    off = torch.minimum((found.angles - true).abs(), (found.angles + true).abs())
    solved = ~off.isnan()
    within = (off <= 2 * found.angle_deviation)[solved]
    typical = round(off[solved].square().mean().sqrt().item(), 3)
    return {"degrees_off": typical, "degrees_stated": _mean(found.angle_deviation), "within_two": share(within)}


def _mean(values: Tensor) -> float | None:
    return None if values.isnan().all() else round(values.nanmean().item(), 4)


def real(data: Path, say: Say) -> dict:
    """The real train boxes before and after, and the sizes of those of valid, which no exporter altered."""
    train, valid = load(data, "train"), load(data, "valid")
    found = tighten(train, progress=lambda done, total: None if done % 480 else say(f"{done} of {total} pairs"))
    constants = {str(k): shrink(train.boxes, train.sizes, k) for k in TRIED}
    content = told(found) | {"data": identity(data), "deviation": _mean(found.deviation)}
    content["solved"] = int((~found.deviation.isnan()).sum())
    content["degrees_stated"] = _mean(found.angle_deviation)
    content["before"] = overlap(train.boxes, found.boxes)
    content["constant"] = {k: overlap(boxes, found.boxes) for k, boxes in constants.items()}
    content["growth"] = growth(train, found.boxes)
    content["cut"] = share(cut_sides(train.boxes, train.sizes).any(1))
    extents = {"train": train.boxes, "train_solved": found.boxes, "train_constant": constants[str(K)]}
    content["extent"] = {name: mean_extent(boxes, train.sizes) for name, boxes in extents.items()}
    content["extent"]["valid"] = mean_extent(valid.boxes, valid.sizes)
    content["valid"] = tighten(valid).how
    return content


@recipe("asl_hulls", takes_data=True)
def record(data: Path | None, say: Say) -> dict:
    """Measures rendered sets, and the photos where their folder is given."""
    content: dict = {"k": K, "photos": PHOTOS, "copies": COPIES, "size": SIZE, "rows": []}
    for seed in SEEDS:
        content["rows"].append(row := rendered(seed))
        hulls = row["hulls"]
        say(f"rendered, seed {seed}: IoU {hulls['before']['mean_iou']:.3f}, then {hulls['after']['mean_iou']:.3f}")
    if data is not None:
        content["real"] = real(data, say)
    return content
