"""The recorded run ``asl_divisor``: the constant C and the learning rate together, and how both losses pull.

C divides the letter's loss. So it turns the step of the shared weights towards the box, and it makes the whole step
smaller; AdamW takes back the second, and clipping some of it. What a rate is worth may thus depend on C.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import torch

from vitcourse.asl import ClassificationBBoxTransformer, FrozenFeatures, sign_loss
from vitcourse.asl.experiments import Ground
from vitcourse.asl.runs import new_model
from vitcourse.recipes import Say, recipe
from vitcourse.recipes.asl_experiments.many import PICTURES, RUN, every, pictures, rounded
from vitcourse.training import own_device

DIVISORS, RATES = (1.0, 10.0, 100.0, 1000.0), (3e-4, 3e-3)
SETTINGS = [{"title": f"C = {c:g}, rate {lr:g}", "divisor": c, "rate": lr} for lr, c in product(RATES, DIVISORS)]


def pulls(model: ClassificationBBoxTransformer, stored: FrozenFeatures, count: int = 128) -> dict[str, float]:
    """Both losses on the first pictures, and the length of the gradient of each at the shared weights."""
    shared = [parameter for parameter in model.backbone.parameters() if parameter.requires_grad]
    hidden, labels = stored.hidden[:count].to(own_device()), torch.tensor(stored.labels[:count])
    logits, boxes = model.eval()(hidden, after=stored.layers)
    losses = sign_loss(logits.cpu(), boxes.cpu(), labels, torch.stack(stored.boxes[:count]))
    found = {}
    for name in ("classification", "box"):
        parts = torch.autograd.grad(losses[name], shared, retain_graph=True)
        pull = torch.cat([part.flatten() for part in parts]).norm()
        found |= {f"{name}_loss": losses[name].item(), f"{name}_pull": pull.item()}
    return {name: float(f"{value:.4g}") for name, value in found.items()}


@recipe("asl_divisor")
def record(say: Say) -> Iterator[dict]:
    """Trains every C with every rate, with each seed."""
    ground = Ground(*pictures(PICTURES))

    def one(setting: dict, seed: int) -> dict:
        training = replace(RUN.training, lr=setting["rate"], seed=seed)
        run = replace(RUN, classification_divisor=setting["divisor"], training=training)
        model, _ = ground.fit(run)
        train, judged = ground.features(model, run)
        found = {name: rounded(ground.measure(model, part)) for name, part in (("train", train), ("valid", judged))}
        return found | {"pulls": pulls(model, train)}

    model, run = new_model(RUN)
    start = pulls(model.to(own_device()), ground.features(model, run)[0])
    content = {"data": PICTURES, "frozen": RUN.frozen_layers, "epochs": RUN.training.epochs, "start": start}
    yield from every("asl_divisor", content, SETTINGS, one, seconds=8, say=say)
