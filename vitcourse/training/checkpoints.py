"""What a run leaves on disk: weights, log and checkpoint, each written whole or not at all."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors.torch import save as to_safetensors
from torch import Tensor, nn

from vitcourse.errors import CheckpointError, InputError, some
from vitcourse.files import check_way, whole_file, write_whole
from vitcourse.training.config import TrainingConfig
from vitcourse.training.description import CHECKPOINT, RUN
from vitcourse.weights.checkpoints import load, pick, read

WEIGHTS = "model.safetensors"
LOG = "log.jsonl"
FREE = "workers"  # the setting that says how a run is computed, not what it computes


def save(out: Path, parts: dict, config: TrainingConfig, log: list[dict], best: dict | None) -> None:
    """Writes the log, the weights (of the best epoch, where one is chosen) and the checkpoint."""
    write_whole(out / LOG, "".join(json.dumps(entry) + "\n" for entry in log).encode())
    state = parts["model"].state_dict() if best is None else best["model"]
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}
    write_whole(out / WEIGHTS, to_safetensors(tensors))
    # Last: a run that is killed before this line does the epoch again, and ends with the same files.
    with whole_file(out / CHECKPOINT) as partial:
        state = {name: part.state_dict() for name, part in parts.items()}
        state |= {"config": asdict(config), "log": log, "best": best, "random": _random_state()}
        torch.save(state, partial)


def resume(out: Path, parts: dict, config: TrainingConfig) -> tuple[list[dict], dict | None]:
    """Puts the parts and the random state back as `save` found them; returns the log and the best epoch.

    Raises:
        CheckpointError: there is no readable checkpoint of this model and config.
    """
    file = out / CHECKPOINT
    if not file.is_file():
        raise CheckpointError("there is no checkpoint to resume from", file)
    try:
        state = load(file)
    except CheckpointError as error:
        raise CheckpointError(f"it is not a checkpoint of this model ({error.problem})", file) from error
    try:
        saved, log = asdict(TrainingConfig(**state["config"])), state["log"]
    except (TypeError, KeyError, ValueError) as error:
        raise CheckpointError(
            "it is not a checkpoint of this model (no training of the course wrote it)", file
        ) from error
    if told := differences(saved, asdict(config)):
        raise CheckpointError(f"it was trained otherwise: {some(told)}", file)
    for name, part in parts.items():
        try:
            part.load_state_dict(state[name])
        except Exception as error:  # an optimiser of other parameters fails in many ways
            problem = f"it is not a checkpoint of this model ({_unlike(part, state.get(name), name)})"
            raise CheckpointError(problem, file) from error
    if "random" in state:
        torch.set_rng_state(state["random"]["cpu"])
        if torch.cuda.is_available() and state["random"]["cuda"] is not None:
            torch.cuda.set_rng_state(state["random"]["cuda"])
    return log, state.get("best")


def restore(model: nn.Module, folder: Path) -> None:
    """Reads the weights of a finished run into its model.

    Raises:
        CheckpointError: they are missing, damaged, or those of another model.
    """
    file = folder / WEIGHTS
    if not file.is_file():
        raise CheckpointError("there is no such file; is this the folder of a finished run?", file)
    wanted = {name: tensor.shape for name, tensor in model.state_dict().items()}
    try:
        model.load_state_dict(pick(read(file), wanted, file), strict=False)
    except CheckpointError as error:
        raise CheckpointError(f"it does not hold the weights of this run ({error.problem})", file) from error


def check_run_folder(out: Path, *, resume: bool) -> None:
    """
    Raises:
        InputError: there is a run in it that is not to be resumed, or a file stands in its way.
    """
    if not resume and (out / CHECKPOINT).exists():
        raise InputError(f"{out}: there is a run in it already; resume it, or name another folder")
    if not resume and (out / WEIGHTS).exists():
        raise InputError(f"{out}: there is a trained model in it already; name another folder")
    check_way(out)


@contextmanager
def run_folder(out: str | Path | None, *, resume: bool) -> Iterator[Path | None]:
    """Gives the folder that a training writes to; nothing stays there where it fails before its first checkpoint.

    Args:
        out: None for a training that writes nothing.

    Raises:
        InputError: see `check_run_folder`.
    """
    if out is None:
        yield None
        return
    out = Path(out)
    check_run_folder(out, resume=resume)
    try:
        yield out
    except BaseException:  # an interrupt as well
        if not resume and out.is_dir() and not (out / CHECKPOINT).exists():
            for file in (RUN, LOG, WEIGHTS):
                (out / file).unlink(missing_ok=True)
            if not any(out.iterdir()):
                out.rmdir()
        raise


def differences(saved: dict, wanted: dict, prefix: str = "") -> list[str]:
    """What keeps a run from being continued: every setting that differs, nested ones too, with both values.

    ``workers`` may differ, and ``epochs`` may be more than they were.
    """
    told = []
    for name, value in wanted.items():
        before = saved.get(name)
        if isinstance(value, dict) and isinstance(before, dict):
            told += differences(before, value, f"{prefix}{name}.")
        elif before == value or name == FREE:
            continue
        elif name != "epochs":
            told.append(f"{prefix}{name}: {before} in the run, {value} now")
        elif before > value:
            told.append(f"{prefix}{name}: {before} in the run, {value} now, and a run can only be made longer")
    return told


def _unlike(part: object, saved: object, name: str) -> str:
    """In what a saved state differs from that of a part of the training."""
    if isinstance(part, nn.Module) and isinstance(saved, dict):
        own = part.state_dict()
        if lacks := [key for key in own if key not in saved]:
            return f"it lacks {some(lacks)}"
        if strange := [key for key in saved if key not in own]:
            return f"it has {some(strange)}, and this model has not"
        for key, tensor in own.items():
            if isinstance(saved[key], Tensor) and saved[key].shape != tensor.shape:
                return f"{key} has shape {tuple(saved[key].shape)}, and in this model {tuple(tensor.shape)}"
    return f"its {name} is another"


def _random_state() -> dict:
    return {"cpu": torch.get_rng_state(), "cuda": torch.cuda.get_rng_state() if torch.cuda.is_available() else None}
