"""How the threads of PyTorch wait, wherever the course starts Python."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from jupyter_client.kernelspec import KernelSpecManager

from vitcourse.threads import NOTEBOOK, WAITING

pytestmark = pytest.mark.starts_programs
ROOT = Path(__file__).parents[1]


def settings_of(program: str, **environment: str) -> dict[str, str]:
    """What OpenMP says of itself when a program loads it, on a machine whose environment says nothing of it."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "GOMP_", "KMP_"))}
    env = {**clean, "OMP_DISPLAY_ENV": "VERBOSE", "PYTHONPATH": str(ROOT), **environment}
    told = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, check=True).stderr
    lines = [line.split(" = ") for line in told.splitlines() if " = " in line]
    return {name.split()[-1]: value.strip(" '") for name, value in lines}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="GNU's OpenMP is PyTorch's on Linux alone")
def test_the_course_makes_threads_wait_briefly():
    alone = settings_of("import torch")
    assert alone["GOMP_SPINCOUNT"] != WAITING["GOMP_SPINCOUNT"]
    assert settings_of("import vitcourse, torch")["GOMP_SPINCOUNT"] == WAITING["GOMP_SPINCOUNT"]
    assert settings_of("import vitcourse.vit")["GOMP_SPINCOUNT"] == WAITING["GOMP_SPINCOUNT"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="GNU's OpenMP is PyTorch's on Linux alone")
def test_who_has_said_how_to_wait_is_obeyed():
    assert settings_of("import vitcourse, torch", GOMP_SPINCOUNT="77")["GOMP_SPINCOUNT"] == "77"
    passive = settings_of("import vitcourse, torch", OMP_WAIT_POLICY="passive")
    assert passive["GOMP_SPINCOUNT"] == "0"


def test_these_tests_wait_briefly_too():
    assert {name: os.environ.get(name) for name in WAITING} == WAITING or "OMP_WAIT_POLICY" in os.environ


def test_the_learners_kernel_has_the_policy():
    """JupyterLab starts notebooks through this file, which `make` writes with the environment."""
    assert KernelSpecManager().get_kernel_spec("python3").env == NOTEBOOK
