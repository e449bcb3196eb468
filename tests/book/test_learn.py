"""`make learn`, without an installation: what it would do; and what a learner then meets in a real JupyterLab."""

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

import nbformat
import pytest

from tests.notebooks import sample
from vitcourse.notebooks import lay_out, learner_notebook

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "book" / "assets" / "jupyter"
TOKEN = "a-test"


def would_do(tmp_path: Path, *arguments: str) -> str:
    """The commands of `make learn` where there is no environment yet."""
    command = ["make", "-n", "learn", f"VENV={tmp_path}/venv", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.replace("\\\n", " ")


def test_one_command_makes_the_environment_and_the_notebooks_and_opens_the_first(tmp_path):
    commands = would_do(tmp_path)
    steps = (
        "-m venv",
        "install --disable-pip-version-check --no-input -r requirements.txt",
        "derive.py",
        "jupyter lab",
    )
    places = [commands.index(step) for step in steps]
    assert places == sorted(places)
    assert "--LabApp.default_url=/lab/tree/01_attention/attention.ipynb" in commands
    assert "torch-backend" not in commands


def test_cuda_is_spared_where_that_is_asked_for(tmp_path):
    commands = would_do(tmp_path, "TORCH=cpu")
    install = " ".join(commands[commands.index("uv pip install") :].splitlines()[0].split())
    options = "--torch-backend cpu --constraints requirements.txt --group book --group test --editable ."
    assert install.endswith(options)
    assert "-r requirements.txt" not in commands  # it lists CUDA's packages, which would be installed
    assert "://" not in commands


def test_what_is_switched_off_exists():
    """A name that no extension has would switch nothing off."""
    names = json.loads((CONFIG / "labconfig" / "page_config.json").read_text(encoding="utf-8"))["disabledExtensions"]
    assert (Path(sys.prefix) / "share" / "jupyter" / "labextensions" / "@jupyter" / "nbgrader").is_dir()
    assert names["@jupyter/nbgrader"] is True
    servers = json.loads((Path(sys.prefix) / "etc/jupyter/jupyter_server_config.d/nbgrader.json").read_text())
    ours = json.loads((CONFIG / "jupyter_server_config.json").read_text(encoding="utf-8"))["ServerApp"]
    assert ours["jpserver_extensions"] == dict.fromkeys(servers["ServerApp"]["jpserver_extensions"], False)


@pytest.fixture
def lab(tmp_path):
    """The address of a JupyterLab as `make learn` starts it, on notebooks of a small course."""
    source = sample.exercises_notebook()
    source.cells.insert(2, nbformat.v4.new_code_cell("draw = 1", id="draw", metadata={"tags": ["hide-input"]}))
    lay_out({Path("exercises.ipynb"): learner_notebook(source)}, tmp_path / "notebooks")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    recipe = would_do(tmp_path)
    options = re.search(r"jupyter lab (.*)", recipe)[1].replace("--allow-root", "").split()
    options = [option for option in options if "default_url" not in option and "root_dir" not in option]
    assert options == []  # what else the recipe says would have to be said here
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--ServerApp.port={port}"]
    env = {**os.environ, "HOME": str(tmp_path), "JUPYTER_CONFIG_PATH": str(CONFIG), "JUPYTER_PREFER_ENV_PATH": "1"}
    env |= {"JUPYTER_CONFIG_DIR": str(tmp_path / "config"), "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime")}
    options = [f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={tmp_path / 'notebooks'}"]
    with subprocess.Popen([*command, *options], env=env, stderr=subprocess.DEVNULL) as server:
        try:
            answers(f"http://127.0.0.1:{port}/api/status?token={TOKEN}", server)
            yield f"http://127.0.0.1:{port}/lab/tree/exercises.ipynb?token={TOKEN}"
        finally:
            server.terminate()  # it ends its kernels
            with suppress(subprocess.TimeoutExpired):
                server.wait(120)
            server.kill()


def answers(address: str, server: subprocess.Popen) -> None:
    """Wait until a server answers; a busy machine may take its time, and what has ended never will."""
    while True:
        try:
            urllib.request.urlopen(address).close()
            return
        except OSError:
            assert server.poll() is None, "JupyterLab has ended"
            time.sleep(0.2)


@pytest.mark.browser
@pytest.mark.executes_notebooks
def test_run_all_in_jupyterlab_ends_with_the_table(lab, context):
    page = context.new_page()
    page.goto(lab)
    page.locator(".jp-NotebookPanel .jp-Cell").first.wait_for()
    page.get_by_text("Python 3").first.wait_for()
    page.locator(".jp-InputPlaceholder").wait_for()  # the folded helper, and no other
    page.locator(".lm-MenuBar-itemLabel", has_text="Run").click()
    page.locator("#jp-mainmenu-run").get_by_text("Run All Cells", exact=True).click()
    page.get_by_text(re.compile(r"0 of \d+ exercises passed, 0 of \d+ points")).wait_for()
    page.get_by_text("not tried").first.wait_for()
    # By now every extension has shown what it brings.
    assert "Nbgrader" not in page.locator(".lm-MenuBar-itemLabel").all_inner_texts()
    assert page.get_by_role("button", name="Validate").count() == 0
    page.close()
