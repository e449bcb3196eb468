"""The recorded run ``asl_weighting``: four ways to put two losses together, each with two losses of the box."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

from vitcourse.asl.experiments import Ground
from vitcourse.recipes import Say, recipe
from vitcourse.recipes.asl_experiments.many import PICTURES, RUN, every, pictures, rounded

WAYS = {
    "C = 1": {"balance": "constant", "classification_divisor": 1.0},
    "C = 30": {"balance": "constant", "classification_divisor": 30.0},
    "uncertainty": {"balance": "uncertainty"},
    "GradNorm": {"balance": "gradnorm"},
}
SETTINGS = [{"title": f"{way}, {loss}", "way": way, "box_loss": loss} for loss, way in product(("mse", "giou"), WAYS)]


@recipe("asl_weighting")
def record(say: Say) -> Iterator[dict]:
    """Trains every way with every loss, with each seed."""
    ground = Ground(*pictures(PICTURES))

    def one(setting: dict, seed: int) -> dict:
        own = WAYS[setting["way"]] | {"box_loss": setting["box_loss"]}
        run = replace(RUN, **own, training=replace(RUN.training, seed=seed))
        model, log = ground.fit(run)
        train, judged = ground.features(model, run)
        found = {name: rounded(ground.measure(model, part)) for name, part in (("train", train), ("valid", judged))}
        learned = [round(e["letter_weight"] / e["box_weight"], 5) for e in log if "box_weight" in e]
        return found | {"letter_over_box": learned}

    content = {"data": PICTURES, "frozen": RUN.frozen_layers, "epochs": RUN.training.epochs, "ways": WAYS}
    yield from every("asl_weighting", content, SETTINGS, one, seconds=8, say=say)
