"""The loop: batches in, an update of the weights, and after every epoch a line in the log and a checkpoint."""

import math
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Protocol

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from vitcourse.training.checkpoints import resume as load_checkpoint
from vitcourse.training.checkpoints import save
from vitcourse.training.config import LossFunction, TrainingConfig, check_precision
from vitcourse.training.kernels import attention_kernel
from vitcourse.training.processes import Batches, mean_over_processes, seed_process, to_device, told_by_first
from vitcourse.training.schedules import Plateau, better, follow, rate_factor
from vitcourse.training.small_batches import check_small_batches


class BatchTransform(Protocol):
    """A random change of whole batches, such as `data.augment.BatchAugmentation`.

    ``numbers`` is how many random numbers an item takes. The call gets a batch and one row of uniform numbers in [0, 1)
    an item, (B, numbers), which follow from (seed, epoch, item) alone: they do not depend on the batch an item is in,
    nor on how many processes share the work.
    """

    numbers: int

    def __call__(self, batch: dict, draws: Tensor) -> dict: ...


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
    transform: BatchTransform | None = None,
) -> list[dict]:
    """Trains a model in place and returns its log, one dict an epoch.

    Under ``accelerate launch`` every process calls it with the same arguments: each takes its share of every batch, so
    the updates are those of one process, and the losses of the log are over all. Two things are not the same: dropout,
    which each process draws for itself, and batch norm, whose statistics in training are of a process's own share.

    Args:
        dataset: items that PyTorch's default collation can stack.
        loss_function: ``loss_function(model, batch)`` gives named scalars; ``"loss"`` is what is minimised. Each is a
            mean over the batch. Where it is a module with parameters, they are trained as well, at ``rate_scale`` (an
            attribute of it; 1 where it has none) times the rate.
        evaluate: called with the model after every epoch; its numbers join the log.
        out: a folder for the checkpoint, the log and the weights; nothing is written where it is None.
        resume: continue from the checkpoint in ``out``. ``config`` must be its config, but for ``workers``, and for
            ``epochs``, which may be more: see `vitcourse.training` for what the schedule does then.
        on_step: called as ``on_step(done, total, loss)`` after every batch.
        transform: changes every batch after it is on the device.

    Raises:
        CheckpointError: ``resume`` without a readable checkpoint of this model and config.
        InputError: a batch would be too small for the model's batch norms; nothing is trained then.
        FloatingPointError: the loss is not finite.
        ValueError: the data set is empty, the config names a number that is not in the log, or fp16 without a GPU.
    """
    trainer = _Trainer(model, dataset, loss_function, config, transform)
    try:
        return trainer.run(None if out is None else Path(out), resume, evaluate, on_step)
    finally:
        trainer.release()


class _Trainer:
    """A model with all that trains it; ``parts`` is what a checkpoint holds of it."""

    def __init__(
        self,
        model: nn.Module,
        dataset: Dataset,
        loss_function: LossFunction,
        config: TrainingConfig,
        transform: BatchTransform | None,
    ):
        check_precision(config.precision)
        AcceleratorState._reset_state()  # or a second run in one process could not have another precision
        self.accelerator = Accelerator(mixed_precision=config.precision)
        self.rank, world = self.accelerator.process_index, self.accelerator.num_processes
        seed_process(config.seed, self.rank)
        self.config, self.loss_function, self.transform = config, loss_function, transform
        self.batches = Batches(len(dataset), config.batch_size, config.accumulate, self.rank, world)
        check_small_batches(model, dataset, loss_function, config.batch_size, world, transform)
        self.workers = torch.Generator()
        self.loader = DataLoader(
            dataset,
            batch_sampler=self.batches,
            generator=self.workers,
            num_workers=config.workers,
            pin_memory=self.accelerator.device.type == "cuda",
        )
        groups, self.learned_loss = parameter_groups(model, config.weight_decay), None
        if isinstance(loss_function, nn.Module) and list(loss_function.parameters()):
            self.learned_loss = loss_function.to(self.accelerator.device)
            rate = config.lr * getattr(loss_function, "rate_scale", 1.0)
            groups.append({"params": list(loss_function.parameters()), "weight_decay": 0.0, "lr": rate})
        optimizer = torch.optim.AdamW(groups, lr=config.lr, eps=config.eps)
        updates = config.epochs * self.batches.updates
        warmup = round(config.warmup * updates)
        self.schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rate_factor(config.schedule, updates, warmup))
        watch = None
        if config.schedule == "plateau":
            watch = Plateau(self.schedule, config.monitor, config.patience, config.plateau_factor, warmup)
        self.model, self.optimizer = self.accelerator.prepare(model, optimizer)
        self.plain = self.accelerator.unwrap_model(self.model)
        learned = [] if self.learned_loss is None else self.learned_loss.parameters()
        self.trained = [*self.model.parameters(), *learned]
        self.parts = {"model": self.plain, "optimizer": self.optimizer, "schedule": self.schedule}
        some = {"plateau": watch, "loss": self.learned_loss, "scaler": self.accelerator.scaler}
        self.parts |= {name: part for name, part in some.items() if part is not None}

    def run(
        self,
        out: Path | None,
        resume: bool,
        evaluate: Callable[[nn.Module], dict[str, float]] | None,
        on_step: Callable[[int, int, float], None] | None,
    ) -> list[dict]:
        """All epochs that are left; see `fit`."""
        config, main = self.config, self.accelerator.is_main_process
        log, best = [], None
        if resume and out is not None:
            log, best = load_checkpoint(out, self.parts, config)
            follow(self.schedule)
        for epoch in range(len(log), config.epochs):
            start = time.perf_counter()
            entry = {"epoch": epoch + 1} | self.epoch(epoch, on_step)
            measured = {}
            if evaluate is not None:
                measured = told_by_first(self.accelerator, lambda: evaluate(self.plain))
            entry |= {"lr": self.schedule.get_last_lr()[0]} | measured
            if unknown := [name for name in (config.monitor, config.choose) if name and name not in entry]:
                raise ValueError(f"the log has no {unknown[0]!r} to judge by; it has {', '.join(entry)}")
            if config.monitor:
                self.parts["plateau"].step(entry[config.monitor])
            log.append(entry | {"seconds": round(time.perf_counter() - start, 3)})
            if config.choose and better(config.choose, entry[config.choose], best and best["value"]):
                weights = {name: tensor.detach().cpu().clone() for name, tensor in self.plain.state_dict().items()}
                best = {"epoch": epoch + 1, "value": entry[config.choose], "model": weights}
            if out is not None and main:
                save(out, self.parts, config, log, best)
        if best is not None:
            self.plain.load_state_dict(best["model"])
        return log

    def epoch(self, epoch: int, on_step: Callable[[int, int, float], None] | None) -> dict[str, float]:
        """One pass over the data; the mean of every loss over all items."""
        seed = self.config.seed * 10_000 + epoch
        self.workers.manual_seed(seed_process(seed, self.rank))
        self.batches.shuffle(seed)
        draws = None if self.transform is None else _draws(seed, self.batches.count, self.transform.numbers)
        totals, count = {}, 0
        for module in (self.model, self.learned_loss):
            if module is not None:
                module.train()
        for index, (places, batch) in enumerate(zip(self.batches, self.loader, strict=True)):
            batch = to_device(batch, self.accelerator.device)
            if self.transform is not None:
                batch = self.transform(batch, draws[places].to(self.accelerator.device, non_blocking=True))
            losses = self.step(batch, index)
            values = torch.stack([value.detach() for value in losses.values()]).tolist()  # one wait for the device
            values, size = mean_over_processes(self.accelerator, values, self.batches.own_count(index))
            count += size
            for name, value in zip(losses, values, strict=True):
                totals[name] = totals.get(name, 0.0) + value * size
            if not math.isfinite(totals["loss"]):
                raise FloatingPointError(f"the loss is {totals['loss']} in epoch {epoch + 1}; try a lower lr")
            if on_step is not None:
                done = epoch * len(self.batches) + index + 1
                loss = dict(zip(losses, values, strict=True))["loss"]
                on_step(done, self.config.epochs * len(self.batches), loss)
        return {name: total / count for name, total in totals.items()}

    def step(self, batch: dict, index: int) -> dict[str, Tensor]:
        """Forward and backward; after the last batch of an update, the weights move."""
        ends = self.batches.updates_after(index)
        with nullcontext() if ends else self.accelerator.no_sync(self.model):
            with self.accelerator.autocast(), attention_kernel(self.accelerator.device, self.config.precision):
                losses = self.loss_function(self.model, batch)
            self.accelerator.backward(losses["loss"] * self.batches.weight(index))
        if ends:
            if self.learned_loss is not None:
                _share_gradients(self.accelerator, self.learned_loss)
            if self.config.clip:
                self.accelerator.clip_grad_norm_(self.trained, self.config.clip)
            self.optimizer.step()
            self.optimizer.zero_grad()
            self.schedule.step()
        return losses

    def release(self) -> None:
        """Leaves a plain model, which would otherwise stay in autocast for good."""
        self.accelerator.unwrap_model(self.model, keep_fp32_wrapper=False)


def parameter_groups(model: nn.Module, weight_decay: float) -> list[dict]:
    """The trained parameters in two groups for AdamW: those that decay, and those that do not."""
    trained = [(name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad]
    bare = ("cls_token", "pos_embed", "position_embeddings")
    plain = [parameter for name, parameter in trained if parameter.ndim < 2 or name.endswith(bare)]
    decayed = [parameter for name, parameter in trained if parameter.ndim >= 2 and not name.endswith(bare)]
    return [{"params": decayed, "weight_decay": weight_decay}, {"params": plain, "weight_decay": 0.0}]


def _draws(seed: int, count: int, numbers: int) -> Tensor:
    """The random numbers of an epoch, (count, numbers): a stream of their own, whatever else draws."""
    generator = torch.Generator().manual_seed(seed + 2**40)
    return torch.rand(count, numbers, generator=generator)


def _share_gradients(accelerator: Accelerator, module: nn.Module) -> None:
    """The mean over the processes, which the model's own gradients have had already."""
    if accelerator.num_processes > 1:
        for parameter in module.parameters():
            parameter.grad = accelerator.reduce(parameter.grad, "mean")
