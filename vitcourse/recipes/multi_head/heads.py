"""The recorded run ``heads``: one attention layer of one width, cut into 1 to 32 heads, on rows of digits.

The lesson on heads trains the same model with `train_reader`. What is recorded: how often both questions of a place are
answered, what each head looks at, and what is lost when a head is taken away.
"""

from collections.abc import Callable
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vitcourse.attention import MultiHeadAttention
from vitcourse.data.digit_rows import IGNORED, LENGTH, PIXELS, QUESTIONS, DigitRows, answers
from vitcourse.explain import intermediates
from vitcourse.recipes import Say, recipe
from vitcourse.training import TrainingConfig, fit

DIM = 32
HEADS = (1, 2, 4, 8, 16, 32)
SEEDS = (0, 1, 2, 3, 4)
TRAIN_ROWS, TEST_ROWS = 12_800, 1_000
TRAINING = TrainingConfig(epochs=4, batch_size=128, lr=6e-3, weight_decay=0.0)


class RowReader(nn.Module):
    """One attention layer that reads a row of digits and answers both questions at every place.

    Everything beside the attention is linear: the tokens are the pixels, embedded, plus a position, plus the mark.
    """

    def __init__(self, num_heads: int, dim: int = DIM):
        super().__init__()
        self.embed = nn.Linear(PIXELS, dim)
        self.pos_embed = nn.Parameter(torch.randn(LENGTH, dim))
        self.mark_embed = nn.Parameter(torch.randn(dim))
        self.attn = MultiHeadAttention(dim, num_heads)
        self.answer = nn.Linear(dim, len(QUESTIONS) * 10)

    def forward(self, images: Tensor, mark: Tensor) -> Tensor:
        """Images (B, 8, 64) and the marked place (B,) to logits (B, 8, 2, 10)."""
        tokens = self.embed(images) + self.pos_embed
        tokens = tokens + F.one_hot(mark, LENGTH)[..., None] * self.mark_embed
        return self.answer(self.attn(tokens)).unflatten(-1, (len(QUESTIONS), 10))


def reader_loss(model: nn.Module, batch: dict[str, Tensor]) -> dict[str, Tensor]:
    """Cross-entropy, summed over the two questions."""
    logits = model(batch["images"], batch["mark"])
    wanted = answers(batch["labels"], batch["mark"])
    parts = [F.cross_entropy(logits[:, :, i].flatten(0, 1), wanted[:, :, i].flatten()) for i in range(len(QUESTIONS))]
    return {"loss": sum(parts)}


def shares_of(logits: Tensor, batch: dict[str, Tensor]) -> dict[str, float]:
    """Share of right answers in logits (B, 8, 2, 10): to "left", to "marked", and to "both" at the same place.

    The first place, which has no left neighbour, is left out.
    """
    wanted = answers(batch["labels"], batch["mark"])
    right = (logits.argmax(dim=-1) == wanted)[wanted[..., 0] != IGNORED].float()
    both = right.prod(dim=-1, keepdim=True)
    return dict(zip((*QUESTIONS, "both"), torch.cat([right, both], dim=-1).mean(dim=0).tolist(), strict=True))


@torch.no_grad()
def right_share(model: nn.Module, batch: dict[str, Tensor]) -> dict[str, float]:
    """`shares_of` the model's answers."""
    return shares_of(model(batch["images"], batch["mark"]), batch)


@torch.no_grad()
def head_weights(model: nn.Module, batch: dict[str, Tensor]) -> dict[str, list[float]]:
    """The mean weight that each head puts on the left neighbour and on the marked digit, from all places but the first.

    Reading in equal parts would give 1/8 to each.
    """
    _, found = intermediates(model, ["attn.weights"], batch["images"], batch["mark"])
    weights = found["attn.weights"]  # (B, H, 8, 8)
    on_left = weights.diagonal(-1, dim1=-2, dim2=-1).mean(dim=(0, 2))
    marked = batch["mark"][:, None, None, None].expand(*weights.shape[:-1], 1)
    on_marked = weights.gather(-1, marked)[:, :, 1:].mean(dim=(0, 2, 3))
    return dict(zip(QUESTIONS, (on_left.tolist(), on_marked.tolist()), strict=True))


@torch.no_grad()
def without_head(model: RowReader, head: int, batch: dict[str, Tensor]) -> dict[str, float]:
    """`right_share` with one head taken away: its columns of ``proj`` are zero, so nothing of it passes on."""
    weight, width = model.attn.proj.weight, model.attn.dim // model.attn.num_heads
    kept = weight.clone()
    weight[:, head * width : (head + 1) * width] = 0
    try:
        return right_share(model, batch)
    finally:
        weight.copy_(kept)


def train_reader(
    num_heads: int,
    rows: DigitRows,
    config: TrainingConfig = TRAINING,
    on_step: Callable[[RowReader, int], None] | None = None,
) -> RowReader:
    """A reader, made and trained from the config's seed.

    Args:
        on_step: called with the model and the number of steps done, before the first step and after each.
    """
    torch.manual_seed(config.seed)
    model = RowReader(num_heads)
    if on_step is not None:
        on_step(model, 0)
    fit(model, rows, reader_loss, config, on_step=on_step and (lambda done, _total, _loss: on_step(model, done)))
    return model.eval()


@recipe("heads")
def record(say: Say) -> dict:
    """Trains a reader for each number of heads and each seed."""
    train, rows = DigitRows("train", TRAIN_ROWS), []
    for heads in HEADS:
        for seed in SEEDS:
            model = train_reader(heads, train, replace(TRAINING, seed=seed))
            test = DigitRows("test", TEST_ROWS, seed=1).batch(next(model.parameters()).device)
            removed = [_rounded(without_head(model, head, test)) for head in range(heads)]
            share, looks = _rounded(right_share(model, test)), head_weights(model, test)
            looks = {name: [round(weight, 3) for weight in weights] for name, weights in looks.items()}
            rows.append({"heads": heads, "seed": seed, "right": share, "weights": looks, "without_head": removed})
            say(f"{heads} heads, seed {seed}: both answers right at {share['both']:.1%} of the places")
    return {"dim": DIM, "length": LENGTH, "train_rows": TRAIN_ROWS, "test_rows": TEST_ROWS, "rows": rows}


def _rounded(share: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 4) for name, value in share.items()}
