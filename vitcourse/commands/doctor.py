"""``vitcourse doctor``: what this machine offers to the course, and whether everything the course needs imports."""

import importlib
import os
import platform

import torch
from rich.console import Console
from rich.table import Table

# What the lessons import, in the order in which a broken one breaks the next.
NEEDED = (
    *("torch", "torchvision", "einops", "safetensors", "numpy", "timm", "transformers", "accelerate"),
    *("sklearn", "matplotlib", "ipywidgets", "typer"),
)


def report(console: Console) -> bool:
    """Prints the machine and the packages; True where every package imports."""
    machine = Table(title="machine", title_justify="left", show_header=False)
    machine.add_row("Python", platform.python_version())
    machine.add_row("system", f"{platform.system()} {platform.machine()}")
    machine.add_row("CPU", f"{os.cpu_count()} cores, PyTorch uses {torch.get_num_threads()}")
    for index in range(torch.cuda.device_count()):
        memory = torch.cuda.get_device_properties(index).total_memory / 2**30
        machine.add_row(f"CUDA {index}", f"{torch.cuda.get_device_name(index)}, {memory:.0f} GiB")
    if not torch.cuda.is_available():
        machine.add_row("CUDA", "none: the lessons take their CPU sizes")
    console.print(machine)

    packages, whole = Table(title="packages", title_justify="left", show_header=False), True
    for name in NEEDED:
        try:
            # Importing, not asking for the version: a torchvision that does not fit its torch fails only here.
            module = importlib.import_module(name)
            packages.add_row(name, getattr(module, "__version__", "imports"))
        except Exception as error:
            whole = False
            packages.add_row(f"[bold red]{name}", f"[bold red]{type(error).__name__}: {str(error).splitlines()[0]}")
    console.print(packages)
    console.print("everything imports" if whole else "[bold red]something is missing:[/] run `make book` again")
    return whole
