"""The recorded run ``asl_neighbours``: which letters are missed, and how far their photos are from those of train.

For each photo of valid the nearest hand of train is looked up, among those of the same letter and among all others. A
hand is the window around its true box (`asl.looks.window`), and two are as near as the cosine of their features in the
backbone that knows rendered hands alone: a ruler that has seen neither split. Train is looked through with its mirror
images. What the models of `asl_reach` said of each photo stands in its record, so no model reads valid for this.
"""

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from vitcourse import results
from vitcourse.asl.backbones.ours import sign_backbone
from vitcourse.asl.looks import window
from vitcourse.data.asl import AslDataset, to_input
from vitcourse.data.letters import LETTERS
from vitcourse.errors import InputError
from vitcourse.recipes import Say, recipe
from vitcourse.recipes.asl_data.photos import identity, real_parts
from vitcourse.recipes.asl_finetuning.asl_reach import reached

SIZE, BATCH = 96, 128


def hands(dataset: AslDataset, boxes: Tensor) -> Tensor:
    """The windows around the hands, uint8 (N, 3, SIZE, SIZE)."""
    return torch.stack([window(dataset[i]["image"], box, SIZE)[0] for i, box in enumerate(boxes)])


@torch.no_grad()
def features(images: Tensor) -> Tensor:
    """(N, D), of length 1."""
    backbone = sign_backbone().eval()
    found = [backbone.pool(backbone.forward_features(to_input(batch))) for batch in images.split(BATCH)]
    return F.normalize(torch.cat(found), dim=1)


@recipe("asl_neighbours", needs_data=True)
def record(data: Path, say: Say) -> dict:
    """Looks up the neighbours, and sets them beside the recorded answers."""
    said, parts = results.load("asl_reach"), real_parts(data, say, tight=True)
    train, valid = parts.split("train"), parts.split("valid")
    true = "".join(LETTERS[label] for label in valid.labels.tolist())
    if said["data"] != identity(data) or any(row["photos"]["true"] != true for row in said["rows"]):
        raise InputError(f"{data}: asl_reach was recorded on other photos")
    known = hands(train, parts.boxes("tight"))
    known = torch.cat([features(known), features(known.flip(-1))])
    near = features(hands(valid, valid.boxes)) @ known.T
    own = valid.labels[:, None] == train.labels.repeat(2)
    nearest, other = near.where(own, -1.0).amax(1), near.where(~own, -1.0).max(1)
    others = train.labels.repeat(2)[other.indices].tolist()
    answers = [row["photos"]["single look"]["letters"] for row in reached()]
    photos = [
        {
            "letter": true[i],
            "right": sum(letters[i] == true[i] for letters in answers),
            "own": round(nearest[i].item(), 3),
            "other": round(other.values[i].item(), 3),
            "other_letter": LETTERS[others[i]],
        }
        for i in range(len(valid))
    ]
    for name, some in (("own letter nearer", True), ("another nearer", False)):
        right = [photo["right"] / len(answers) for photo in photos if (photo["own"] > photo["other"]) is some]
        say(f"{name}: {len(right)} photos, {sum(right) / max(1, len(right)):.1%} right")
    return {"data": said["data"], "models": len(answers), "photos": photos}
