"""The recorded run ``asl_mistakes``: how sure trained models are, which answer is wrong, and what they mix up.

Three sets of pictures: train, a hold-out on which the temperature is found, and test, on which everything is reported.
"""

from collections.abc import Iterator
from dataclasses import replace

import torch
import torch.nn.functional as F

from vitcourse.asl.calibration import expected_calibration_error, reliability, temperature
from vitcourse.asl.experiments import Ground
from vitcourse.asl.frozen import FrozenFeatures
from vitcourse.asl.metrics import aligned_iou
from vitcourse.recipes import Say, recipe
from vitcourse.recipes.asl_experiments.many import PICTURES, RUN, every, pictures, rounded

SETS = PICTURES | {"valid": 260, "test": 1040}
SETTINGS = [{"title": f"{epochs} epochs", "epochs": epochs} for epochs in (8, 24)]
DIVISOR = 30.0


def sureness(logits: torch.Tensor, labels: torch.Tensor) -> dict:
    """Cross-entropy, calibration error, and the reliability picture."""
    sure, right, count = reliability(logits, labels)
    found = {"loss": F.cross_entropy(logits, labels).item(), "error": expected_calibration_error(logits, labels)}
    bins = zip(sure.tolist(), right.tolist(), count.tolist(), strict=True)
    return rounded(found) | {"bins": [[round(s, 4), round(r, 4), n] for s, r, n in bins if n]}


def kinds(right: torch.Tensor, overlap: torch.Tensor, least: float = 0.75) -> dict[str, int]:
    """Pictures by which of the two answers is right; a box is with an IoU of ``least`` or more."""
    fits = overlap >= least
    parts = {"both": right & fits, "letter alone": right & ~fits, "box alone": ~right & fits, "neither": ~right & ~fits}
    return {name: int(part.sum()) for name, part in parts.items()}


@recipe("asl_mistakes")
def record(say: Say) -> Iterator[dict]:
    """Trains short and long with each seed, and keeps what the models answer."""
    train, valid, test = pictures(SETS)
    ground = Ground(train, valid)
    kept: list[FrozenFeatures] = []

    def one(setting: dict, seed: int) -> dict:
        training = replace(RUN.training, epochs=setting["epochs"], seed=seed)
        run = replace(RUN, classification_divisor=DIVISOR, training=training)
        model, _ = ground.fit(run)
        if not kept:
            kept.append(FrozenFeatures(model, test, RUN.frozen_layers))
        _, held = ground.features(model, run)
        logits, boxes = ground.answers(model, kept[0])
        found_t = temperature(ground.answers(model, held)[0], torch.tensor(held.labels))
        said, overlap = logits.argmax(1), aligned_iou(boxes, test.boxes)
        pairs = (26 * test.labels + said)[said != test.labels].tolist()
        return {
            "valid": rounded(ground.measure(model, kept[0])),
            "temperature": round(found_t, 3),
            "before": sureness(logits, test.labels),
            "after": sureness(logits / found_t, test.labels),
            "kinds": kinds(said == test.labels, overlap),
            "pairs": [divmod(pair, 26) for pair in sorted(pairs)],  # the right letter, and the one that was said
        }

    content = {"data": SETS, "frozen": RUN.frozen_layers, "divisor": DIVISOR}
    yield from every("asl_mistakes", content, SETTINGS, one, seconds=16, say=say)
