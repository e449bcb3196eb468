"""Recorded runs: one JSON file each in ``book/results``, with what it takes to judge and to repeat them."""

import json
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

from vitcourse.errors import InputError
from vitcourse.files import write_whole

FOLDER = Path(__file__).resolve().parents[1] / "book" / "results"
PACKAGES = ("vitcourse", "torch", "torchvision", "timm", "transformers", "accelerate")


def provenance() -> dict:
    """Device, threads, versions and commit of the run that asks."""
    accelerator = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
    if accelerator is None:
        device = f"CPU ({platform.machine()})"
    else:
        device = torch.cuda.get_device_name() if accelerator.type == "cuda" else accelerator.type
    return {
        "device": device,
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in PACKAGES},
        "commit": _commit(),
    }


def write(name: str, content: dict, seconds: float) -> Path:
    """Writes ``book/results/NAME.json``: the content, the seconds that the run took, and its provenance."""
    file = FOLDER / f"{name}.json"
    whole = content | {"seconds": round(seconds, 1), "provenance": provenance()}
    write_whole(file, (json.dumps(whole, indent=1) + "\n").encode())
    return file


def load(name: str) -> dict:
    """The content of ``book/results/NAME.json``.

    Raises:
        InputError: nothing is recorded under that name.
    """
    file = FOLDER / f"{name}.json"
    if not file.is_file():
        recorded = ", ".join(sorted(path.stem for path in FOLDER.glob("*.json"))) or "nothing"
        raise InputError(f"{file}: no such recorded run (recorded: {recorded})")
    return json.loads(file.read_text(encoding="utf-8"))


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _commit() -> str | None:
    """The commit checked out, marked where files of the package differ from it; None outside a git checkout."""
    try:
        command = ["git", "-C", str(FOLDER.parents[1])]
        commit = subprocess.run([*command, "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout
        changed = subprocess.run(
            [*command, "status", "--porcelain", "--", "vitcourse", ":!vitcourse/assets"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    return commit.strip() + ("+changes" if changed.strip() else "")
