"""The training loop of the course, on Hugging Face Accelerate: CPU or GPU, full or half precision.

Everything random in epoch e follows from (seed, e) alone, so a run that is stopped and resumed from its last checkpoint
continues to the same weights as one that was never stopped.

Sources: Loshchilov and Hutter 2017, https://arxiv.org/abs/1711.05101 (AdamW) and https://arxiv.org/abs/1608.03983
(cosine schedule); Vaswani et al. 2017, https://arxiv.org/abs/1706.03762, section 5.3 (warm-up).
"""

import json
import math
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from accelerate.utils import set_seed
from safetensors.torch import save as to_safetensors
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from vitcourse.errors import CheckpointError, one_line

CHECKPOINT = "checkpoint.pt"
WEIGHTS = "model.safetensors"
LOG = "log.jsonl"

Size = TypeVar("Size")
LossFunction = Callable[[nn.Module, dict], dict[str, Tensor]]


@dataclass(frozen=True)
class TrainingConfig:
    """How a model is trained.

    Attributes:
        lr: peak learning rate, reached after the warm-up; a cosine then takes it to 0.
        weight_decay: on weight matrices only; biases, norms, gammas, the class token and positions have none.
        warmup: share of all steps in which the rate rises linearly.
        clip: largest norm of the gradient; 0 for no clipping.
        precision: "no" (float32), "bf16" or "fp16" (autocast).

    Raises:
        ValueError: a number out of its range (a seed is 0 to 99,999), or an unknown precision.
    """

    epochs: int = 10
    batch_size: int = 32
    lr: float = 1e-3
    weight_decay: float = 0.05
    warmup: float = 0.1
    clip: float = 1.0
    precision: str = "no"
    seed: int = 0
    workers: int = 0

    def __post_init__(self):
        if self.precision not in ("no", "bf16", "fp16"):
            raise ValueError(f"precision must be no, bf16 or fp16, got {self.precision!r}")
        for field, low in {"epochs": 1, "batch_size": 1, "lr": 0, "weight_decay": 0, "clip": 0, "workers": 0}.items():
            if not getattr(self, field) >= low:
                raise ValueError(f"{field} must be at least {low}, got {getattr(self, field)}")
        if not 0 <= self.seed < 100_000:  # times 10,000 for the epochs, it must fit into 32 bits
            raise ValueError(f"seed must be 0 to 99999, got {self.seed}")
        if not math.isfinite(self.lr):
            raise ValueError(f"lr must be a finite number, got {self.lr}")
        if not 0 <= self.warmup < 1:
            raise ValueError(f"warmup must be a share of the steps in [0, 1), got {self.warmup}")


def by_device(cpu: Size, cuda: Size) -> Size:
    """A size that suits the machine: the first on a CPU, the second where there is a CUDA device."""
    return cuda if torch.cuda.is_available() else cpu


def fit(
    model: nn.Module,
    dataset: Dataset,
    loss_function: LossFunction,
    config: TrainingConfig,
    *,
    evaluate: Callable[[nn.Module], dict[str, float]] | None = None,
    out: str | Path | None = None,
    resume: bool = False,
    on_step: Callable[[int, int, float], None] | None = None,
) -> list[dict]:
    """Trains a model in place and returns its log, one dict an epoch.

    Args:
        dataset: items that PyTorch's default collation can stack.
        loss_function: ``loss_function(model, batch)`` gives named scalars; ``"loss"`` is what is minimised.
        evaluate: called with the model after every epoch; its numbers join the log.
        out: a folder for the checkpoint, the log and the weights; nothing is written where it is None.
        resume: continue from the checkpoint in ``out``.
        on_step: called as ``on_step(done, total, loss)`` after every step.

    Raises:
        CheckpointError: ``resume`` without a readable checkpoint of this model and config.
        FloatingPointError: the loss is not finite.
    """
    AcceleratorState._reset_state()  # or a second run in one process could not have another precision
    accelerator = Accelerator(mixed_precision=config.precision)
    set_seed(config.seed)
    order = torch.Generator()
    loader = DataLoader(
        dataset, config.batch_size, shuffle=True, generator=order, num_workers=config.workers, drop_last=False
    )
    loader = accelerator.prepare(loader)  # first: of several processes each has its share of the steps
    steps = config.epochs * len(loader)
    optimizer = torch.optim.AdamW(_parameter_groups(model, config.weight_decay), lr=config.lr)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, _warmup_then_cosine(steps, round(config.warmup * steps)))
    model, optimizer = accelerator.prepare(model, optimizer)
    plain = accelerator.unwrap_model(model)
    parts = {"model": plain, "optimizer": optimizer, "schedule": schedule}
    if accelerator.scaler is not None:  # of the gradients, in fp16
        parts["scaler"] = accelerator.scaler
    log = _resume(Path(out), parts, config) if resume and out is not None else []

    for epoch in range(len(log), config.epochs):
        set_seed(config.seed * 10_000 + epoch)
        order.manual_seed(config.seed * 10_000 + epoch)
        start, totals, count = time.perf_counter(), {}, 0
        model.train()
        for index, batch in enumerate(loader):
            with accelerator.autocast():
                losses = loss_function(model, batch)
            accelerator.backward(losses["loss"])
            if config.clip:
                accelerator.clip_grad_norm_(model.parameters(), config.clip)
            optimizer.step()
            optimizer.zero_grad()
            schedule.step()
            size = len(next(iter(batch.values())))
            count += size
            for name, value in losses.items():
                totals[name] = totals.get(name, 0.0) + value.item() * size
            if not math.isfinite(totals["loss"]):
                raise FloatingPointError(f"the loss is {totals['loss']} in epoch {epoch + 1}; try a lower lr")
            if on_step is not None:
                on_step(epoch * len(loader) + index + 1, steps, losses["loss"].item())
        entry = {"epoch": epoch + 1} | {name: total / count for name, total in totals.items()}
        entry |= {"lr": schedule.get_last_lr()[0]} | (evaluate(plain) if evaluate is not None else {})
        log.append(entry | {"seconds": round(time.perf_counter() - start, 3)})
        if out is not None and accelerator.is_main_process:
            _save(Path(out), parts, config, log)
    accelerator.unwrap_model(model, keep_fp32_wrapper=False)  # or the model would stay in autocast for good
    return log


def _parameter_groups(model: nn.Module, weight_decay: float) -> list[dict]:
    trained = [(name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad]
    bare = ("cls_token", "pos_embed", "position_embeddings")
    plain = [parameter for name, parameter in trained if parameter.ndim < 2 or name.endswith(bare)]
    decayed = [parameter for name, parameter in trained if parameter.ndim >= 2 and not name.endswith(bare)]
    return [{"params": decayed, "weight_decay": weight_decay}, {"params": plain, "weight_decay": 0.0}]


def _warmup_then_cosine(steps: int, warmup: int) -> Callable[[int], float]:
    def factor(step: int) -> float:
        if step < warmup:
            return (step + 1) / warmup
        return 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(steps - warmup, 1)))

    return factor


@contextmanager
def whole_file(file: Path) -> Iterator[Path]:
    """Gives a temporary name to write to; renamed to ``file`` at the end, removed where the writing fails."""
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(file.name + ".partial")
    try:
        yield partial
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)


def write_whole(file: Path, content: bytes) -> None:
    """Writes a file whole or not at all."""
    with whole_file(file) as partial, partial.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _save(out: Path, parts: dict, config: TrainingConfig, log: list[dict]) -> None:
    write_whole(out / LOG, "".join(json.dumps(entry) + "\n" for entry in log).encode())
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in parts["model"].state_dict().items()}
    write_whole(out / WEIGHTS, to_safetensors(tensors))
    # Last: a run that is killed before this line does the epoch again, and ends with the same files.
    with whole_file(out / CHECKPOINT) as partial:
        state = {name: part.state_dict() for name, part in parts.items()}
        torch.save(state | {"config": asdict(config), "log": log}, partial)


def _resume(out: Path, parts: dict, config: TrainingConfig) -> list[dict]:
    file = out / CHECKPOINT
    if not file.is_file():
        raise CheckpointError("there is no checkpoint to resume from", file)
    try:
        state = torch.load(file, map_location="cpu", weights_only=True)
        saved, log = state["config"], state["log"]
        for name, part in parts.items():
            part.load_state_dict(state[name])
    except Exception as error:  # torch.load raises a dozen kinds for a damaged file
        raise CheckpointError(f"it is not a checkpoint of this model ({one_line(error)})", file) from error
    if saved != asdict(config):
        different = [name for name, value in asdict(config).items() if saved.get(name) != value]
        raise CheckpointError(f"it was trained with another {', '.join(different)}", file)
    return log
