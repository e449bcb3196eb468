"""What can be said of a wrong answer that is none of the known mistakes: found by trying it on varied inputs.

Each finding is true of what was seen and says where to look. The first that holds is told.
"""

import itertools
from collections.abc import Iterator

import torch
from torch import Tensor

from vitcourse.checks.engine.probe import Probe, close, widened
from vitcourse.checks.engine.words import agree, apart, name_of

Parts, Inputs = tuple[Tensor, ...], tuple
MOST_AXES = 4  # more orders than of four axes are not tried


def sentence(check, probe: Probe, inputs: Inputs, found: Parts) -> str:
    """A sentence on what the learner's result has to do with the right one; empty where nothing simple does.

    Args:
        check: a `solved.Solved`.
        probe: calls the learner's function.
        inputs: on which the result is wrong.
        found: the result, in parts of the right shapes.
    """
    right = check.solution(inputs)
    for name, part, expected in zip(check.parts, found, right, strict=True):
        part, expected = part.double(), expected.double()
        if not close(part, expected, slack=1e4):
            first = itertools.chain(numbers(part, expected), order(part, expected))
            findings = itertools.chain(first, variations(check, probe, inputs, found), places(part, expected))
            return _said(next(findings, ""), name)
    return ""


def _said(finding: str, name: str) -> str:
    """A finding of the result that is called ``name``."""
    for form in (("is", "are"), ("has", "have"), ("holds", "hold")):
        finding = finding.replace(f"{{{form[0]}}}", agree(name, *form))
    return finding.replace("{name}", name[:1].upper() + name[1:])


def numbers(found: Tensor, right: Tensor) -> Iterator[str]:
    """Whether a factor, a shift or both would mend it."""
    if bool(found.isnan().any()) and not bool(right.isnan().any()):
        count = int(found.isnan().sum())
        places = f"{count} of {found.numel()} places"
        yield f"{{name}} {{holds}} `nan` in {places}: 0 divided by 0, or infinity minus infinity."
    if found.numel() < 3 or not bool(found.isfinite().all() & right.isfinite().all()) or len(right.unique()) < 3:
        return
    if _near(found, found.mean().expand_as(found)):
        yield f"{{name}} {{is}} {_short(found.mean())} everywhere, whatever stands in the inputs."
    if _near(found, -right):
        yield "{name} {has} the wrong sign everywhere."
    centred = right - right.mean()
    factor = ((found - found.mean()) * centred).sum() / centred.square().sum()
    shift = found.mean() - factor * right.mean()
    if _near(found, right * (ratio := (found * right).sum() / right.square().sum())):
        yield f"{{name}} {{is}} {_short(ratio)} times the right one, everywhere."
    elif _near(found, right + (more := (found - right).mean())):
        yield f"{{name}} {{is}} {_short(more.abs())} too {'large' if more > 0 else 'small'}, everywhere."
    elif _near(found, factor * right + shift):
        yield f"{{name}} {{is}} {_short(factor)} times the right one, plus {_short(shift)}, everywhere."


def order(found: Tensor, right: Tensor) -> Iterator[str]:
    """Whether the right numbers stand in other places."""
    for axes in itertools.permutations(range(right.ndim)) if 1 < right.ndim <= MOST_AXES else ():
        if list(axes) != sorted(axes) and _near(found, right.permute(axes)):
            yield f"{{name}} {{has}} the right numbers with its axes in another order: {list(axes)}."
    for axis in range(right.ndim):
        if right.shape[axis] > 1:
            if _near(found, right.flip(axis)):
                yield f"{{name}} {{is}} right, but turned round along axis {axis}."
            for step in (1, -1):
                if right.shape[axis] > 2 and _near(found, right.roll(step, axis)):
                    yield f"{{name}} {{is}} right, but moved by one place along axis {axis}."
    if right.numel() > 2 and _near(found.flatten().sort().values, right.flatten().sort().values):
        yield "{name} {holds} the right numbers, in the wrong places."


def places(found: Tensor, right: Tensor) -> Iterator[str]:
    """Whether all that is wrong lies in a few places of one axis."""
    size = max(1.0, float(right[right.isfinite()].abs().max())) if bool(right.isfinite().any()) else 1.0
    differs = ~torch.isclose(found, right, rtol=1e-4, atol=1e-4 * size, equal_nan=True)
    for axis in range(right.ndim):
        others = [other for other in range(right.ndim) if other != axis]
        wrong = differs.any(dim=others) if others else differs
        bad = wrong.nonzero().flatten().tolist()
        if 0 < len(bad) <= len(wrong) // 2:
            where = f"index {bad[0]}" if len(bad) == 1 else f"indices {', '.join(map(str, bad))}"
            yield f"{{name}} {{is}} wrong at {where} of axis {axis} alone; the rest is right."
        elif len(wrong) - len(bad) in (1, 2) and len(wrong) > 3:
            good = [place for place in range(len(wrong)) if place not in bad]
            where = " and ".join(map(str, good))
            yield f"{{name}} {{is}} right at index {where} of axis {axis} alone; the rest is wrong."


def variations(check, probe: Probe, inputs: Inputs, found: Parts) -> Iterator[str]:
    """What the answer does on other inputs: with all visible, one example alone, one input changed, in float64."""
    names = [name_of(check.right, place) for place in range(len(inputs))]
    for place, value in enumerate(inputs):
        mask = isinstance(value, Tensor) and value.dtype == torch.bool and not bool(value.all())
        if mask and _right(check, probe, _with(inputs, place, torch.ones_like(value))):
            yield f"It is right where `{names[place]}` is True everywhere: look at what `{names[place]}` does."
    widest = max((value.ndim for value in inputs if isinstance(value, Tensor)), default=0)
    batched = [isinstance(value, Tensor) and value.ndim == widest > 2 for value in inputs]
    alone = tuple(value[:1] if cut else value for value, cut in zip(inputs, batched, strict=True))
    if any(batched) and _right(check, probe, alone):
        yield f"One {check.first} alone comes out right, several together do not: look at the axes in front."
    for place, value in enumerate(inputs):
        if (changed := _changed(value)) is not None:
            other = _with(inputs, place, changed)
            given, moved = check.answer(probe, other), not _same(check.solution(other), check.solution(inputs))
            if moved and given is not None and _same(given, found):
                yield f"It does not depend on `{names[place]}`: with other values there the result is the same."
    if _right(check, probe, widened(inputs)):
        yield "In float64 the same function is right: look for large numbers that cancel."


def _right(check, probe: Probe, inputs: Inputs) -> bool:
    """Whether the answer is right on these inputs; on such as the exercise does not allow it is not."""
    try:
        given, right = check.answer(probe, inputs), check.solution(inputs)
    except (RuntimeError, ValueError, IndexError, TypeError):
        return False
    return given is not None and _same(given, right)


def _same(found: Parts, right: Parts) -> bool:
    return all(close(one, part.to(one.dtype)) for one, part in zip(found, right, strict=True))


def _with(inputs: Inputs, place: int, value: object) -> Inputs:
    return (*inputs[:place], value, *inputs[place + 1 :])


def _changed(value: object) -> object | None:
    """Other values of the same kind that an exercise surely allows; None where none are known."""
    if isinstance(value, Tensor) and value.numel() > 1 and not bool((value == value.flatten()[0]).all()):
        return value.flatten().roll(1).reshape(value.shape)
    if isinstance(value, float):
        return value * 1.5
    return None


def _near(found: Tensor, other: Tensor) -> bool:
    return close(found.float(), other.float())


def _short(number: Tensor) -> str:
    return apart(float(number), float("nan"), 4)[0]
