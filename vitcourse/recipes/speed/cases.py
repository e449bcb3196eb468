"""What is compared: a model, a batch, and a forward pass or a whole training step, ours and theirs."""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vitcourse.recipes.speed.references import logits, reference
from vitcourse.timing import interleaved, ratio
from vitcourse.vit import VARIANTS, VisionTransformer, ViTConfig

# The parallel models of Touvron et al. 2022, "Three things", as timm has them: Ti of 6 x 2, S of 18 x 2 branches.
PARALLEL = {"block": "parallel", "num_parallel": 2}
MODELS: dict[str, ViTConfig] = {
    "ti/16": VARIANTS["ti/16"],
    "s/16": VARIANTS["s/16"],
    "ti/16 6x2": replace(VARIANTS["ti/16"], depth=6, **PARALLEL),
    "s/16 18x2": replace(VARIANTS["s/16"], depth=18, init_values=1e-5, **PARALLEL),
}
# How far outputs may lie apart, over the largest logit.
CLOSE = {torch.float32: 1e-5, torch.bfloat16: 5e-2}


@dataclass(frozen=True)
class Case:
    """One comparison.

    Attributes:
        model: a name in `MODELS`.
        mode: "forward" (inference mode, evaluation) or "training" (forward, loss, backward, AdamW step).
        batch: images.
        compiled: under ``torch.compile``, ours and theirs.
    """

    model: str
    mode: str
    batch: int
    compiled: bool = False

    @property
    def libraries(self) -> tuple[str, ...]:
        """The libraries that have such a model."""
        return ("timm",) if MODELS[self.model].block == "parallel" else ("timm", "hf", "torchvision")


def cases(models: list[str], device: torch.device) -> list[Case]:
    """The comparisons of a full benchmark: small batches on a CPU, larger ones and compiled models on CUDA."""
    cuda = device.type == "cuda"
    chosen = []
    for model in models:
        training = (64 if cuda else 8) // (2 if model.startswith("s/") else 1)
        for compiled in (False, True) if cuda else (False,):
            chosen += [Case(model, "forward", batch, compiled) for batch in (1, 64 if cuda else 8)]
            chosen.append(Case(model, "training", training, compiled))
    return chosen


def measure(
    case: Case,
    device: torch.device,
    rounds: int = 9,
    seconds: float = 0.3,
    on_round: Callable[[int, int], None] | None = None,
) -> dict:
    """Times one case: float32 on a CPU, bfloat16 on CUDA.

    Returns:
        The case, and for each library the milliseconds of a call (median over rounds), the largest difference of the
        outputs before timing, and ``ratio``: ours over theirs, below 1 where ours is faster.

    Raises:
        RuntimeError: the outputs differ, so that there is nothing to compare.
    """
    torch.manual_seed(0)
    dtype = torch.bfloat16 if device.type == "cuda" else torch.float32
    config = MODELS[case.model]
    images = torch.randn(case.batch, config.in_chans, config.image_size, config.image_size, device=device)
    labels = torch.randint(config.num_classes, (case.batch,), device=device)
    ours = VisionTransformer(config).to(device)
    models = {"vitcourse": ours} | {library: reference(library, ours) for library in case.libraries}
    if case.mode == "forward":
        models, images = {name: model.to(dtype).eval() for name, model in models.items()}, images.to(dtype)
    differences = {name: _difference(models[name], ours, images, dtype, case) for name in case.libraries}
    make = _forward if case.mode == "forward" else _training_step
    programs = {
        name: make(torch.compile(model) if case.compiled else model, images, labels, dtype)
        for name, model in models.items()
    }
    times = interleaved(programs, rounds, seconds, device, on_round)
    medians = {name: round(1e3 * sorted(values)[len(values) // 2], 3) for name, values in times.items()}
    return {
        "model": case.model,
        "mode": case.mode,
        "batch": case.batch,
        "compiled": case.compiled,
        "dtype": str(dtype).removeprefix("torch."),
        "rounds": rounds,
        "milliseconds": medians,
        "difference": differences,
        "ratio": {name: ratio(times, "vitcourse", name) for name in case.libraries},
    }


def _difference(theirs: nn.Module, ours: nn.Module, images: Tensor, dtype: torch.dtype, case: Case) -> float:
    """The largest difference of the logits over the largest logit, in evaluation."""
    with torch.inference_mode(), _autocast(images, dtype):
        expected, output = (logits(model.eval()(images)) for model in (theirs, ours))
    for model in (theirs, ours):
        model.train(case.mode == "training")
    difference = ((output - expected).abs().max() / expected.abs().max()).item()
    if not difference <= CLOSE[dtype]:
        raise RuntimeError(f"{case}: the outputs differ by {difference:.1e} of their size, nothing is timed")
    return difference


def _autocast(images: Tensor, dtype: torch.dtype):
    mixed = dtype != torch.float32 and images.dtype == torch.float32
    return torch.autocast(images.device.type, dtype) if mixed else nullcontext()


def _forward(model: nn.Module, images: Tensor, labels: Tensor, dtype: torch.dtype) -> Callable[[], None]:  # noqa: ARG001
    @torch.inference_mode()
    def forward() -> None:
        model(images)

    return forward


def _training_step(model: nn.Module, images: Tensor, labels: Tensor, dtype: torch.dtype) -> Callable[[], None]:
    # The fused step is the same few kernels for all, so that the models are what differs.
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)

    def step() -> None:
        with _autocast(images, dtype):
            loss = F.cross_entropy(logits(model(images)).float(), labels)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()

    return step
