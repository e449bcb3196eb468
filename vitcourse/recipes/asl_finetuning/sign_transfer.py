"""The recorded run ``sign_transfer``: how far rendered signs alone carry, read on real photos that nobody trained on.

The model is the one that `sign_backbone` left, with the heads that it learned beside the backbone. No photo
went into it, so every photo is new to it. Changes of the renderer are chosen on train; valid is only recorded.
"""

from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from vitcourse.asl.metrics import both_ways, measure
from vitcourse.data.asl import AslDataset, hold_out, load
from vitcourse.data.letters import LETTERS
from vitcourse.errors import InputError
from vitcourse.recipes import Say, recipe
from vitcourse.recipes.asl_data.photos import identity
from vitcourse.recipes.asl_finetuning.sign_backbone import hand_model, read

SHARE = 0.2  # of the train photos; copies are parted by name alone, so it is not quite the hold-out of the fine-tunings


@recipe("sign_transfer", needs_data=True)
def record(data: Path, say: Say) -> dict:
    """Measures the recorded model on a hold-out of train, all of train, and valid."""
    model, rows = hand_model(), []
    train, valid = (load(data, split) for split in ("train", "valid"))
    _, held = hold_out(train.files, train.labels.tolist(), SHARE)
    if not held:
        raise InputError(f"{data}: there are too few photos of each letter to hold any out")
    of_train, of_valid = (both_ways(partial(read, model), images(split)) for split in (train, valid))
    for way in range(2):
        for title, split, places, answers in (
            ("hold-out of train", train, held, of_train),
            ("train", train, list(range(len(train))), of_train),
            ("valid", valid, list(range(len(valid))), of_valid),
        ):
            letters, boxes = answers[way]
            measured = row(letters[places], boxes[places], split.labels[places], split.boxes[places])
            rows.append({"title": title, "mirrored_too": bool(way), "images": len(places), **measured})
    for entry in rows:
        mirror = ", with its mirror image" if entry["mirrored_too"] else ""
        found = ", ".join(f"{name} {entry[name]:.1%}" for name in ("accuracy", "iou50", "iou75"))
        say(f"{entry['title']}{mirror}: {found}")
    by_letters = by_letter(of_train[0][0], train.labels)
    return {"data": identity(data), "rows": rows, "train_letters": by_letters}


def images(dataset: AslDataset) -> list[Tensor]:
    return [dataset[place]["image"] for place in range(len(dataset))]


def row(letters: Tensor, boxes: Tensor, labels: Tensor, true_boxes: Tensor) -> dict:
    """The measures of `asl.evaluate`, and how often the right letter is among the first three."""
    third = letters.topk(3, dim=1).indices.eq(labels[:, None]).any(1).float().mean().item()
    return {**measure(letters, boxes, labels, true_boxes), "top3": third}


def by_letter(letters: Tensor, labels: Tensor) -> dict[str, dict]:
    """For each letter the share named rightly, and the letter that it is most often taken for."""
    said, found = letters.argmax(1), {}
    for number, letter in enumerate(LETTERS):
        own = said[labels == number]
        if not len(own):
            continue
        wrong = torch.bincount(own[own != number], minlength=len(LETTERS))
        taken_for = LETTERS[int(wrong.argmax())] if wrong.any() else None
        found[letter] = {"images": len(own), "right": (own == number).float().mean().item(), "taken_for": taken_for}
    return found
