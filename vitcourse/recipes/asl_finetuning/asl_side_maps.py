"""The recorded run ``asl_side_maps``: where a model that learned from real photos looks for each side of a box.

The model is the first of `asl_reach`, as its run folder in ``_build`` holds it; it is shown rendered hands, since no
photo may stand in the course. Kept is how much each place of its map counts for each side (`asl.boxes.Sides`).
"""

import torch

from vitcourse import results
from vitcourse.asl import aligned_iou, load_run
from vitcourse.asl.backbones import adapter
from vitcourse.data.asl import render, to_input
from vitcourse.data.letters import LETTERS
from vitcourse.errors import InputError
from vitcourse.recipes import Say, recipe
from vitcourse.recipes.asl_finetuning.asl_reach import SEEDS

SHOWN, SEED = "LY", 4  # letters, and the seed of the renderer


@recipe("asl_side_maps")
def record(say: Say) -> dict:
    """Shows the hands to the model."""
    folder = results.FOLDER.parents[1] / "_build" / "asl_reach" / f"seed_{SEEDS[0]}"
    if not folder.is_dir():
        raise InputError(f"{folder}: there is no such run; record asl_reach first")
    model, run = load_run(folder)
    images, true = render(torch.tensor([LETTERS.index(letter) for letter in SHOWN]), SEED, model.image_size)
    with torch.no_grad():
        vector, *maps = adapter(model.backbone).features_and_maps(to_input(images))
        shares, _ = model.bounding_box.places(*maps)
        said, boxes = model.classifier(vector).argmax(1), model.bounding_box(*maps)
    for letter, overlap in zip(SHOWN, aligned_iou(boxes, true).tolist(), strict=True):
        say(f"{letter}: IoU {overlap:.2f}")
    pictures = [
        {"letter": SHOWN[i], "said": LETTERS[said[i]], "true": rounded(true[i]), "box": rounded(boxes[i])}
        | {"shares": [[rounded(line) for line in side] for side in shares[i]]}
        for i in range(len(SHOWN))
    ]
    return {"epochs": run.training.epochs, "size": model.image_size, "seed": SEED, "pictures": pictures}


def rounded(numbers: torch.Tensor) -> list[float]:
    """As a record keeps them."""
    return [round(number, 4) for number in numbers.tolist()]
