"""Lays notebooks out for a learner, and never over the learner's work.

Each copy says in its metadata which version of the course it is, and what its cells held when it was written. So a copy
that was worked in is known wherever it has been moved, and there is no other record that could be lost.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from vitcourse.files import write_whole

RECORD = "vitcourse_copy"


@dataclass
class Laid:
    """What was done: how many notebooks were written or brought up to date, and a line for each odd case."""

    written: int = 0
    renewed: int = 0
    notes: list[str] = field(default_factory=list)
    failed: bool = False


def lay_out(copies: Mapping[Path, NotebookNode], folder: Path) -> Laid:
    """Writes each notebook where there is none, or one that nobody has worked in; else beside it, under another name.

    A notebook is written whole or not at all, one after the other: a second run goes on where a first was ended.

    Args:
        copies: what to write, by its path below ``folder``.
    """
    laid = Laid()
    for name, notebook in copies.items():
        try:
            _lay(notebook, name, folder, laid)
        except OSError as error:
            laid.failed = True
            laid.notes.append(f"{name}: not written ({error.strerror or error})")
    return laid


def _lay(notebook: NotebookNode, name: Path, folder: Path, laid: Laid) -> None:
    record = {"version": _digest(nbformat.writes(notebook)), "cells": _cells(notebook)}
    why = note = ""
    for place in _places(name):
        file = folder / place
        new = not file.exists()
        if new:
            break
        found = _read(file)
        known = found.metadata.get(RECORD, {}) if found else {}
        if known.get("version") == record["version"]:
            return
        if found and known.get("cells") == _cells(found):
            if any(cell.get("outputs") for cell in found.cells):
                note = f"{place}: brought up to date; only outputs had been added, which running it brings back"
            break
        if found and _cells(found) == record["cells"]:
            return
        why = why or ("it was changed" if found else "it is no notebook that can be read")
    written = nbformat.from_dict({**notebook, "metadata": {**notebook.metadata, RECORD: record}})
    write_whole(file, f"{nbformat.writes(written).rstrip()}\n".encode())
    laid.written, laid.renewed = laid.written + new, laid.renewed + (not new)
    if new and why:
        note = f"{name}: {why}, and stays; the course's new version lies beside it: {place.name}"
    laid.notes += [note] * bool(note)


def _places(name: Path) -> Iterator[Path]:
    """The names that a notebook may get: its own, then others beside it."""
    yield name
    number = 1
    while True:
        yield name.with_stem(f"{name.stem}_new{number if number > 1 else ''}")
        number += 1


def _read(file: Path) -> NotebookNode | None:
    """What lies there; None where it is no notebook."""
    try:
        found = nbformat.read(file, as_version=4)
        nbformat.validate(found)
    except (OSError, ValueError, AttributeError, TypeError, nbformat.ValidationError):  # the file may hold anything
        return None
    return found


def _cells(notebook: NotebookNode) -> str:
    """What counts as work: kinds and texts of the cells. Jupyter adds outputs, and an empty cell at the end."""
    return _digest(json.dumps([(cell.cell_type, cell.source) for cell in notebook.cells if cell.source.strip()]))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
