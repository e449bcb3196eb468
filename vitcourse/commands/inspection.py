"""What ``vitcourse inspect`` finds in an export before anything is trained on it, in numbers and in a picture."""

from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import torch
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from rich.table import Table

from vitcourse.data.asl import AslDataset, Copy, decode, find_copies, group_by_photo, judge, load, shrink, source_photo
from vitcourse.data.exports.roboflow import form_of, split_folder
from vitcourse.data.hulls import cut_sides
from vitcourse.data.images import SUFFIXES
from vitcourse.data.letters import LETTERS
from vitcourse.errors import DataError, some
from vitcourse.figures import plots
from vitcourse.recipes.asl_data.asl_data import blind

SPLITS = ("train", "valid", "test")
SHOWN = 6  # images in a row of the picture, an even number


def read(root: Path, background: str = "refuse") -> dict[str, AslDataset]:
    """The splits of an export that hold an image; valid may be called val.

    Raises:
        DataError: there is none, or one cannot be read.
    """
    found, missing = {}, []
    for split in SPLITS:
        try:
            folder = split_folder(root, split)
        except DataError as error:
            missing.append(error)
            continue
        if any(file.suffix.lower() in SUFFIXES for file in folder.rglob("*")):
            found[split] = load(root, split, background)
    if not found:
        raise missing[0] if len(missing) == len(SPLITS) else DataError("no split in it holds an image", root)
    return found


def facts(
    root: Path, splits: dict[str, AslDataset], on_pair: Callable[[int, int], None] | None = None
) -> tuple[dict, list[Copy]]:
    """All that can be told of the splits of an export, ready for JSON; and the twins that two of them share.

    Args:
        on_pair: called with (pairs of copies registered, pairs in all).
    """
    names, twins = list(splits), []
    content: dict = {"data": str(root), "form": form_of(split_folder(root, names[0])), "splits": {}, "between": {}}
    for name, dataset in splits.items():
        verdict = judge(dataset, progress=on_pair)
        told = {"hulls": verdict.hulls, "why": verdict.why, "nats": verdict.nats, "noise": verdict.noise}
        content["splits"][name] = _card(dataset) | {"boxes": _boxes(dataset), "labels": told}
    for one, other in combinations(names, 2):
        photos = [{source_photo(file) for file in splits[name].files} for name in (one, other)]
        copies = find_copies(splits[one].files, splits[other].files)
        twins += copies
        entry = {"photos_in_both": sorted(set.intersection(*photos)), "twins": len({copy.second for copy in copies})}
        content["between"][f"{one} and {other}"] = entry
    judged = next((name for name in ("valid", "test") if name in splits), None)
    if "train" in splits and judged:
        content["blind"] = {"judged_on": judged} | blind(splits["train"], splits[judged])
    return content, sorted(twins, key=lambda copy: -copy.similarity)


def _card(dataset: AslDataset) -> dict:
    copies = [len(places) for places in group_by_photo(dataset.files).values()]
    letters = dataset.labels.bincount(minlength=len(LETTERS)).tolist()
    low, high = dataset.sizes.amin(0).int().tolist(), dataset.sizes.amax(0).int().tolist()
    return {
        "images": len(dataset),
        "photos": len(copies),
        "copies": [min(copies), max(copies)],
        "letters": dict(zip(LETTERS, letters, strict=True)),
        "least": low,
        "largest": high,
        "sizes": len({tuple(size) for size in dataset.sizes.tolist()}),
    }


def _boxes(dataset: AslDataset) -> dict:
    """Means of width and height as shares of the image, their standard errors, and the share of boxes at an edge."""
    extent = dataset.boxes[:, 2:] - dataset.boxes[:, :2]
    error = extent.std(0, correction=0) / len(extent) ** 0.5
    cut = cut_sides(dataset.boxes, dataset.sizes).any(1).float().mean()
    names = ("width", "height", "width_error", "height_error", "at_an_edge")
    values = [*extent.mean(0).tolist(), *error.tolist(), cut.item()]
    return {name: round(value, 4) for name, value in zip(names, values, strict=True)}


def tables(content: dict) -> list[Table]:
    """The splits, a row each, and the boxes in them."""
    card, boxes = (
        Table(title="splits", title_justify="left"),
        Table(title="boxes, as shares of the image", title_justify="left"),
    )
    for name in ("", "images", "photos", "copies of each", "letters", "sizes in pixels"):
        card.add_column(name)
    for name in ("", "width", "height", "touch an edge"):
        boxes.add_column(name)
    for name, part in content["splits"].items():
        counts = list(part["letters"].values())
        letters = f"{sum(map(bool, counts))}: {min(counts)} to {max(counts)} images each"
        (w, h), (wide, high) = part["least"], part["largest"]
        size = f"{w} x {h}" if part["sizes"] == 1 else f"{w} x {h} to {wide} x {high}, {part['sizes']} sizes"
        copies = "1" if part["copies"] == [1, 1] else "{} to {}".format(*part["copies"])
        card.add_row(name, str(part["images"]), str(part["photos"]), copies, letters, size)
        own = part["boxes"]
        sides = (f"{own[side]:.3f} ± {own[f'{side}_error']:.3f}" for side in ("width", "height"))
        boxes.add_row(name, *sides, f"{own['at_an_edge']:.0%}")
    return [card, boxes]


def lines(content: dict) -> list[str]:
    """What the tables do not hold, a sentence each."""
    told = []
    words = {True: "they look like hulls", False: "nothing shows that they grew", None: "nothing can be told"}
    for name, part in content["splits"].items():
        if missing := [letter for letter, count in part["letters"].items() if not count]:
            told.append(f"{name}: no image of {some(missing, len(LETTERS))}")
        told.append(f"{name}, boxes: {words[part['labels']['hulls']]}: {part['labels']['why']}")
    for pair, entry in content["between"].items():
        one, other = pair.split(" and ")
        if shared := entry["photos_in_both"]:
            told.append(f"{pair}: {len(shared)} photos are in both by name ({some(shared)})")
        told.append(f"{pair}: {entry['twins']} images of {other} have a near twin in {one}")
    if found := content.get("blind"):
        told.append(
            f"an answer that never looks gets, on {found['judged_on']}, {max(found['accuracy']):.1%} of the letters "
            f"(always {found['letters'][0]}) and with the mean box of train a mean IoU of {found['mean_iou']:.2f}"
        )
    return told


def picture(splits: dict[str, AslDataset], twins: list[Copy], hulls: bool) -> Figure:
    """Some images with their boxes, the nearest twins side by side, and how large boxes are, by split.

    Args:
        hulls: the boxes of the first split look like hulls; what is left without the mean growth is dashed.
    """
    plots.use_style()
    rows = [1, 1, 1.5] if twins else [1, 1.5]
    figure = plt.figure(figsize=(8.4, 2 * sum(rows)), layout="constrained")
    *pictures, below = figure.subfigures(len(rows), 1, height_ratios=rows)
    name, dataset = next(iter(splits.items()))
    places = [i * len(dataset) // SHOWN for i in range(SHOWN)] if len(dataset) > SHOWN else range(len(dataset))
    tight = shrink(dataset.boxes, dataset.sizes)
    for axes, i in zip(pictures[0].subplots(1, SHOWN), places, strict=False):
        plots.draw_sign(axes, dataset[i]["image"], dataset.boxes[i], tight[i] if hulls else None)
    dashed = "; dashed: without what they grew by on the average" if hulls else ""
    titles = [f"Labels of {name}{dashed}", "The nearest twins in two splits, side by side"]
    if twins:
        files = [file for copy in twins[: SHOWN // 2] for file in (copy.first, copy.second)]
        for axes, file in zip(pictures[1].subplots(1, SHOWN), files, strict=False):
            plots.draw_sign(axes, decode(file))
    for part, title in zip(pictures, titles, strict=False):
        part.suptitle(title, x=0.01, ha="left", fontsize=11, weight="bold")
        for axes in part.axes:
            axes.set_axis_off()
    for axis, (axes, side) in enumerate(zip(below.subplots(1, 2, sharey=True), ("width", "height"), strict=True)):
        for (split, part), colour in zip(splits.items(), plots.COLOURS, strict=False):
            extent = (part.boxes[:, 2:] - part.boxes[:, :2])[:, axis].sort().values
            axes.plot(extent, torch.linspace(0, 1, len(extent)), color=colour, label=split)
        axes.set(xlabel=f"{side} of a box, as a share of the image", xlim=(0, 1))
        axes.set_ylabel("" if axis else "share of boxes up to it")
    below.axes[0].legend(frameon=False)
    below.suptitle("How large boxes are, by split", x=0.01, ha="left", fontsize=11, weight="bold")
    return figure
