"""The recorded run ``vit_distilled``: the small ViT learns digits from a CNN as well as from the labels.

A second learned token, the distillation token, is trained on what the teacher names, by hard distillation: Touvron et
al., "Training data-efficient image transformers & distillation through attention" (2020),
https://arxiv.org/abs/2012.12877, section 4. Teacher and student see the same images.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vitcourse.recipes import Say, recipe
from vitcourse.recipes.vit.vit_digits import COUNTS, DIGITS, RATES, SEEDS, SmallCNN, accuracy, digits, first, train
from vitcourse.vit import VisionTransformer, ViTConfig


class DistilledViT(VisionTransformer):
    """A ViT with a distillation token behind the patches, and a head for it.

    In training it gives both logits, (B, K) each, of the class token and of the distillation token; in evaluation the
    logarithm of the mean of their probabilities (B, K).
    """

    def __init__(self, config: ViTConfig = DIGITS):
        super().__init__(config)
        self.dist_token = nn.Parameter(torch.empty(1, 1, config.dim))
        self.dist_pos = nn.Parameter(torch.empty(1, 1, config.dim))
        self.head_dist = nn.Linear(config.dim, config.num_classes)
        for weight in (self.dist_token, self.dist_pos, self.head_dist.weight):
            nn.init.trunc_normal_(weight, std=0.02)
        nn.init.zeros_(self.head_dist.bias)

    def embed(self, images: Tensor) -> Tensor:
        dist = (self.dist_token + self.dist_pos).expand(len(images), -1, -1)
        return torch.cat([super().embed(images), dist], dim=1)  # (B, 1 + N + 1, D)

    def both(self, images: Tensor) -> tuple[Tensor, Tensor]:
        tokens = self.forward_features(images)
        return self.head(tokens[:, 0]), self.head_dist(tokens[:, -1])

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor] | Tensor:
        both = self.both(images)
        return both if self.training else torch.stack(both).softmax(dim=-1).mean(dim=0).log()


def hard_distillation(teacher: nn.Module):
    """Half of the loss is the class token's on the labels, half the distillation token's on the teacher's answers."""

    def loss(model: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
        with torch.no_grad():
            told = teacher(images).argmax(dim=-1)
        by_label, by_teacher = model(images)
        return 0.5 * F.cross_entropy(by_label, labels) + 0.5 * F.cross_entropy(by_teacher, told)

    return loss


@recipe("vit_distilled")
def record(say: Say) -> dict:
    """For every number of images and every seed: a teacher, and a student of it and of the labels."""
    images, labels = digits()["test"]
    rows = []
    for count in COUNTS:
        for seed in SEEDS:
            seen = first(count, seed)
            teacher = train(SmallCNN, *seen, RATES["cnn"], seed=seed)
            model = train(DistilledViT, *seen, RATES["vit"], seed=seed, loss=hard_distillation(teacher))
            with torch.no_grad():
                by_class, by_teacher = (logits.argmax(dim=-1) for logits in model.both(images))
                told = teacher(images).argmax(dim=-1)
            right = {"class": by_class == labels, "distillation": by_teacher == labels, "agree": by_teacher == told}
            row = {name: round(same.float().mean().item(), 4) for name, same in right.items()}
            row |= {"teacher": accuracy(teacher, images, labels), "both": accuracy(model, images, labels)}
            rows.append({"images": count, "seed": seed} | {name: round(value, 4) for name, value in row.items()})
            say(f"{count} images, seed {seed}: {row['both']:.1%}, its teacher {row['teacher']:.1%}")
    return {"rows": rows}
