"""The recorded run ``vit_unlabelled``: distillation where the teacher knows something that the labels do not say.

Few of the digits have labels. A CNN learns from them, and names all the others; the class token of the student learns
from the labels, its distillation token from the teacher's answers for all images. On the labelled images alone, as in
``vit_distilled``, a teacher that is right on all of them says what the labels say.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vitcourse.recipes import Say, recipe
from vitcourse.recipes.vit.vit_digits import BATCH, RATES, SEEDS, SmallCNN, accuracy, digits, first, train
from vitcourse.recipes.vit.vit_distilled import DistilledViT

COUNTS = (90, 180, 360)


def distillation_on(images: Tensor, teacher: nn.Module, seed: int = 0) -> Callable[[nn.Module, Tensor, Tensor], Tensor]:
    """The loss of a labelled batch, and of as many of ``images`` with the teacher's answers, drawn anew each time."""
    with torch.no_grad():
        told = teacher(images).argmax(dim=-1)
    generator = torch.Generator().manual_seed(seed)

    def loss(model: nn.Module, labelled: Tensor, labels: Tensor) -> Tensor:
        drawn = torch.randint(len(images), (BATCH,), generator=generator)
        by_label, by_teacher = model(torch.cat([labelled, images[drawn]]))
        own = F.cross_entropy(by_label[: len(labels)], labels)
        return 0.5 * own + 0.5 * F.cross_entropy(by_teacher[len(labels) :], told[drawn])

    return loss


@recipe("vit_unlabelled")
def record(say: Say) -> dict:
    """For every number of labels and every seed: a teacher, and its student."""
    everything, test, rows = digits()["train"][0], digits()["test"], []
    for count in COUNTS:
        for seed in SEEDS:
            seen = first(count, seed)
            teacher = train(SmallCNN, *seen, RATES["cnn"], seed=seed)
            loss = distillation_on(everything, teacher, seed)
            student = train(DistilledViT, *seen, RATES["vit"], seed=seed, loss=loss)
            row = {"teacher": accuracy(teacher, *test), "student": accuracy(student, *test)}
            rows.append({"labels": count, "seed": seed} | {name: round(value, 4) for name, value in row.items()})
            say(f"{count} labels, seed {seed}: {row['student']:.1%}, its teacher {row['teacher']:.1%}")
    return {"rows": rows}
