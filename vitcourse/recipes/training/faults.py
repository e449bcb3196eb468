"""A training of a small ViT on the real digits, which logs what one looks at to find a fault: for lesson 08's lab.

`Run` is the healthy one, step by step. Each run of `broken` overrides one of its steps.
"""

from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vitcourse.data.digit_rows import HELD_OUT
from vitcourse.explain import intermediates
from vitcourse.vit import VisionTransformer, ViTConfig

# The convolutions of the stem have batch norm, which tells training from evaluation.
CONFIG = ViTConfig(image_size=8, patch_size=2, in_chans=1, num_classes=10, dim=32, depth=2, num_heads=4, stem="conv")
EPOCHS, BATCHES, BATCH = 10, 22, 64
RATE, DECAY, CLIP, WARMUP = 1e-2, 0.05, 1.0, 0.1
EVALUATED, EVERY = 36, 5  # held-out images at a time; steps between two entries of gradients and updates
# Groups of layers by the first letters of their parameters' names: the last norm belongs to the block before it.
GROUPS = {
    "patches": ("patch_embed.",),
    "block 1": ("cls_token", "pos_embed", "blocks.0."),
    "block 2": ("blocks.1.", "norm."),
    "head": ("head.",),
}
Split = dict[str, tuple[Tensor, Tensor]]


@dataclass
class Log:
    """What a training leaves behind.

    Attributes:
        losses, right: of the batch of every step, in training: the loss, and the share of right answers.
        held: (step, loss, share of right answers) for all held-out images, after each epoch.
        gradients, updates: by group of layers, every `EVERY` steps: see `gradient_norms` and `update_sizes`.
        spread: by "train" and "held", at the end, after each group of layers: see `spreads`.
        images: by "train" and "held", 64 images as the model gets them, and their labels.
        levels: by "train" and "held", mean and standard deviation of all pixels.
        nearest: of each held-out image, the distance to the nearest training image.
        agree: the share of training images whose nearest other training image has the same label.
        twice: the share of right answers for the held-out images in their order, and in a random one.
    """

    losses: list[float] = field(default_factory=list)
    right: list[float] = field(default_factory=list)
    held: list[tuple[int, float, float]] = field(default_factory=list)
    gradients: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in GROUPS})
    updates: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in GROUPS})
    spread: dict[str, list[float]] = field(default_factory=dict)
    images: Split = field(default_factory=dict)
    levels: dict[str, tuple[float, float]] = field(default_factory=dict)
    nearest: list[float] = field(default_factory=list)
    agree: float = 0.0
    twice: tuple[float, float] = (0.0, 0.0)


class Run:
    """The healthy training: ``Run(seed)()`` gives its `Log`."""

    rate = RATE

    def __init__(self, seed: int = 0, epochs: int = EPOCHS):
        self.seed, self.epochs = seed, epochs

    # The steps, of which a broken run overrides one

    def pixels(self) -> Split:
        """Images (N, 8, 8) with values from 0 to 16, and labels (N,): the last 360 are held out."""
        from sklearn.datasets import load_digits

        loaded = load_digits()
        images, labels = torch.tensor(loaded.images, dtype=torch.float32), torch.tensor(loaded.target)
        return {"train": (images[:-HELD_OUT], labels[:-HELD_OUT]), "held": (images[-HELD_OUT:], labels[-HELD_OUT:])}

    def inputs(self, pixels: Split) -> Split:
        """Images (N, 1, 8, 8) as the model gets them: the pixels of train have mean 0 and deviation 1."""
        mean, deviation = pixels["train"][0].mean(), pixels["train"][0].std()
        return {part: ((images[:, None] - mean) / deviation, labels) for part, (images, labels) in pixels.items()}

    def model_and_optimizer(self) -> tuple[VisionTransformer, torch.optim.Optimizer]:
        model = VisionTransformer(CONFIG)
        return model, torch.optim.AdamW(model.parameters(), self.rate, weight_decay=DECAY)

    def share(self, step: int) -> float:
        """The share of the peak rate at a step."""
        return up_and_down(step, self.epochs * BATCHES)

    def features(self, model: VisionTransformer, images: Tensor) -> Tensor:
        """Images to what the head reads, (B, D)."""
        return model.pool(model.forward_features(images))

    def loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        return F.cross_entropy(logits, labels)

    def mode(self, model: VisionTransformer) -> None:
        """The mode in which the model meets held-out images."""
        model.eval()

    # The loop

    def __call__(self) -> Log:
        data, log = self.inputs(self.pixels()), Log()
        images, labels = data["train"]
        torch.manual_seed(self.seed)
        model, optimizer = self.model_and_optimizer()
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, self.share)
        generator = torch.Generator().manual_seed(self.seed)
        for _ in range(self.epochs):
            model.train()
            order = torch.randperm(len(images), generator=generator)
            for index in order[: BATCHES * BATCH].split(BATCH):
                looks = len(log.losses) % EVERY == 0
                logits = model.head(self.features(model, images[index]))
                loss = self.loss(logits, labels[index])
                optimizer.zero_grad()
                loss.backward()
                if looks:
                    note(log.gradients, gradient_norms(model))
                    before = [parameter.detach().clone() for parameter in model.parameters()]
                nn.utils.clip_grad_norm_(model.parameters(), CLIP)
                optimizer.step()
                schedule.step()
                if looks:
                    note(log.updates, update_sizes(model, before))
                log.losses.append(loss.item())
                log.right.append(right_of(logits, labels[index]))
            log.held.append((len(log.losses), *self.evaluate(model, *data["held"])))
        self.look(model, data, log, generator)
        return log

    @torch.no_grad()
    def evaluate(self, model: VisionTransformer, images: Tensor, labels: Tensor) -> tuple[float, float]:
        """The loss and the share of right answers, in batches."""
        self.mode(model)
        logits = torch.cat([model.head(self.features(model, batch)) for batch in images.split(EVALUATED)])
        return self.loss(logits, labels).item(), right_of(logits, labels)

    def look(self, model: VisionTransformer, data: Split, log: Log, generator: torch.Generator) -> None:
        """What is looked at once, when the training has ended."""
        (seen, names), (held, labels) = data["train"], data["held"]
        order = torch.randperm(len(held), generator=generator)
        log.twice = self.evaluate(model, held, labels)[1], self.evaluate(model, held[order], labels[order])[1]
        log.nearest = distances(held, seen).amin(dim=1).tolist()
        others = distances(seen, seen).fill_diagonal_(torch.inf).argmin(dim=1)
        log.agree = (names[others] == names).float().mean().item()
        for part, (images, labels) in data.items():
            model.train() if part == "train" else self.mode(model)
            log.spread[part] = spreads(model, images[:BATCH])
            log.images[part] = images[:BATCH], labels[:BATCH]
            log.levels[part] = images.mean().item(), images.std().item()


def up_and_down(done: int, steps: int) -> float:
    """The share of the peak rate: up in a line over a tenth of the steps, down in a line to 0, and then 0."""
    return max(0.0, min((done + 1) / (WARMUP * steps), (steps - done) / ((1 - WARMUP) * steps)))


def right_of(logits: Tensor, labels: Tensor) -> float:
    return (logits.argmax(dim=-1) == labels).float().mean().item()


def distances(images: Tensor, others: Tensor) -> Tensor:
    """Between all pairs: (M, N). By differences: by products two copies would lie some thousandths apart."""
    return torch.cdist(images.flatten(1), others.flatten(1), compute_mode="donot_use_mm_for_euclid_dist")


def note(series: dict[str, list[float]], values: dict[str, float]) -> None:
    for name, value in values.items():
        series[name].append(value)


def _norms(named: dict[str, Tensor]) -> dict[str, float]:
    """By group of layers, the length of all of its numbers as one vector."""
    groups = {group: [part for name, part in named.items() if name.startswith(of)] for group, of in GROUPS.items()}
    return {group: sum(part.square().sum().item() for part in parts) ** 0.5 for group, parts in groups.items()}


def gradient_norms(model: nn.Module) -> dict[str, float]:
    """By group of layers, the length of the gradient as one vector; where there is none it is 0."""
    return _norms({name: weight.grad for name, weight in model.named_parameters() if weight.grad is not None})


def update_sizes(model: nn.Module, before: list[Tensor]) -> dict[str, float]:
    """By group of layers, the length of the step that the weights made, divided by the length of the weights."""
    names = [name for name, _ in model.named_parameters()]
    old = dict(zip(names, before, strict=True))
    moved = _norms({name: weight.detach() - old[name] for name, weight in model.named_parameters()})
    size = _norms(old)
    return {group: moved[group] / size[group] for group in GROUPS}


@torch.no_grad()
def spreads(model: VisionTransformer, images: Tensor) -> list[float]:
    """How far images differ behind the patches, each block and the head: 0 where all give the same numbers.

    It is the standard deviation over the images, of each number by itself, and then the mean: of the patches, of the
    class token behind a block, of the logits.
    """
    _, found = intermediates(model, ["patch_embed", "blocks.0", "blocks.1", "head"], images)
    first, *tokens, logits = found.values()
    read = [first.flatten(1), *(token[:, 0] for token in tokens), logits]
    return [numbers.std(dim=0).mean().item() for numbers in read]
