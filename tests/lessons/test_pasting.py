"""To copy a function of a lesson is not to solve an exercise: none that a lesson writes out passes one of its checks.

Lessons of which that is not true yet are not listed.
"""

import ast
from importlib import import_module
from inspect import signature

import nbformat
import pytest

from tests.helpers import ROOT
from vitcourse import checks
from vitcourse.checks import CATALOGUE, CheckFailed

LESSONS = ("07_block_variants", "08_training", "09_asl_data", "10_asl_finetuning", "12_faces")


def functions(source: str) -> dict[str, object]:
    """The functions that code defines at its top level, in a room with what the code imports."""
    tree, room = ast.parse(source), {}
    kept = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom, ast.FunctionDef))]
    exec(compile(ast.Module(kept, []), "lesson", "exec"), room)  # the course's own code
    return {node.name: room[node.name] for node in kept if isinstance(node, ast.FunctionDef)}


def passed(written: dict[str, object], lesson: str) -> list[str]:
    """Which of these functions, however they are called, pass a check of the lesson that takes as many arguments."""
    found = []
    for exercise in (name for name, one in CATALOGUE.items() if one.lesson == lesson):
        right = getattr(import_module(f"vitcourse.checks.{exercise}"), "right", None)  # most checks have one
        for name, function in written.items():
            if right and len(signature(right).parameters) != len(signature(function).parameters):
                continue
            try:
                checks.find(exercise)(function)
            except CheckFailed:
                continue
            found.append(f"{name} passes {exercise}")
    return found


@pytest.mark.parametrize("lesson", LESSONS)
def test_no_function_of_a_lesson_passes_a_check(lesson):
    path = ROOT / "lessons" / lesson / f"{lesson.partition('_')[2]}.ipynb"
    cells = nbformat.read(path, as_version=4).cells
    written = functions("\n".join(cell.source for cell in cells if cell.cell_type == "code"))
    assert written
    assert passed(written, lesson) == []


def test_a_pasted_function_is_found():
    source = """
import torch
def overlap(a, b):
    a = a.clamp(0, 1)
    sides = torch.minimum(a[:, 2:], b[:, 2:]) - torch.maximum(a[:, :2], b[:, :2])
    both = sides.clamp(min=0).prod(1)
    first, second = ((c[:, 2:] - c[:, :2]).clamp(min=0).prod(1) for c in (a, b))
    return both / (first + second - both)
"""
    assert passed(functions(source), "09_asl_data") == ["overlap passes asl_data.iou"]
