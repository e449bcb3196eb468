"""What a session has switched on or off, and the form that a number comes in, decide about no answer."""

import contextlib
import functools
import json
import random
import warnings
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.checks.test_bank import AT_LENGTH, BANKS, FILES, RIGHT, misconception_of, named
from vitcourse import checks
from vitcourse.checks.engine import guard, modes
from vitcourse.checks.engine.guard import Rules

pytestmark = pytest.mark.tries_answers
ONE_EACH = RIGHT if AT_LENGTH else [(bank.exercise, bank.rights[-1]) for bank in BANKS]
LESSONS = Path(__file__).parents[2] / "lessons"


@contextlib.contextmanager
def switched(set_it, value, usual):
    set_it(value)
    try:
        yield
    finally:
        set_it(usual)


@contextlib.contextmanager
def warnings_as_errors():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@contextlib.contextmanager
def other_random_state():
    random.seed("other"), np.random.seed(77), torch.manual_seed(77)
    yield


SESSIONS = {
    "no_grad": torch.no_grad,
    "set_grad_enabled": lambda: switched(torch.set_grad_enabled, False, True),
    "inference_mode": torch.inference_mode,
    "float64": lambda: switched(torch.set_default_dtype, torch.float64, torch.float32),
    "float16": lambda: switched(torch.set_default_dtype, torch.float16, torch.float32),
    "default device": lambda: switched(torch.set_default_device, "meta", None),
    "device": lambda: torch.device("meta"),
    "deterministic": lambda: switched(torch.use_deterministic_algorithms, True, False),
    "anomaly": lambda: torch.autograd.set_detect_anomaly(True),
    "autocast": lambda: torch.autocast("cpu", dtype=torch.bfloat16),
    "matmul precision": lambda: switched(torch.set_float32_matmul_precision, "medium", "highest"),
    "numpy errors": lambda: np.errstate(all="raise"),
    "warnings": warnings_as_errors,
    "print options": lambda: torch._tensor_str.printoptions(precision=1, threshold=2, sci_mode=True),
    "random state": other_random_state,
}
# All of them, in three sessions in which many things are switched at once.
MUCH = {
    "first": ("no_grad", "float64", "default device", "numpy errors", "warnings"),
    "second": ("inference_mode", "float16", "deterministic", "autocast", "matmul precision"),
    "third": ("set_grad_enabled", "device", "anomaly", "print options", "random state"),
}


@contextlib.contextmanager
def much(which):
    with contextlib.ExitStack() as stack:
        for name in MUCH[which]:
            stack.enter_context(SESSIONS[name]())
        yield


def state():
    """All that a check must leave as it was."""
    return {
        "gradients": torch.is_grad_enabled(),
        "inference": torch.is_inference_mode_enabled(),
        "dtype": torch.get_default_dtype(),
        "device": torch.get_default_device(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "anomaly": torch.is_anomaly_enabled(),
        "autocast": torch.is_autocast_enabled("cpu"),
        "matmul": torch.backends.mkldnn.matmul.fp32_precision,
        "numpy": np.geterr(),
        "warnings": list(warnings.filters),
        "print": dict(vars(torch._tensor_str.PRINT_OPTS)),
        "random": (random.getstate(), str(np.random.get_state()), torch.get_rng_state().tolist()),
        "modes": len(torch.overrides._get_current_function_mode_stack()),
    }


class Kernel:
    """As a student's kernel: only plain data goes in and out, and the session is the student's at every call."""

    def __init__(self, function, session):
        self.function, self.session = function, session

    def guarded_call(self, args, kwargs, rules):
        with self.session():
            return guard.call(self.function, args, kwargs, Rules.from_plain(rules.to_plain())).to_plain()


def test_the_three_sessions_hold_all_that_can_be_switched():
    assert sorted(name for names in MUCH.values() for name in names) == sorted(SESSIONS)


@pytest.mark.parametrize("which", MUCH)
@pytest.mark.parametrize(("exercise", "function"), ONE_EACH, ids=named(ONE_EACH))
def test_a_right_answer_passes_in_any_session_and_leaves_it_as_it_was(exercise, function, which):
    with much(which):
        before = state()
        report = checks.run(exercise, function, seed=which)
        assert state() == before
    assert report.misconception is None, report.detail


@pytest.mark.parametrize("which", MUCH)
@pytest.mark.parametrize("bank", BANKS, ids=FILES)
def test_a_right_answer_passes_in_a_kernel_of_any_session(bank, which):
    report = checks.run(bank.exercise, Kernel(bank.rights[-1], functools.partial(much, which)), seed=which)
    assert report.misconception is None, report.detail


@pytest.mark.parametrize("session", SESSIONS)
@pytest.mark.parametrize("exercise", ["attention.attention", "asl_finetuning.choose", "transformer.smoothed_loss"])
def test_each_of_them_alone(exercise, session):
    (bank,) = (bank for bank in BANKS if bank.exercise == exercise)
    with SESSIONS[session]():
        assert misconception_of(exercise, bank.rights[0], seed=session) is None
    assert misconception_of(exercise, Kernel(bank.rights[0], SESSIONS[session]), seed=session) is None


@pytest.mark.parametrize("which", MUCH)
@pytest.mark.parametrize("bank", BANKS, ids=FILES)
def test_a_wrong_answer_keeps_its_name_in_any_session(bank, which):
    for misconception, function in bank.wrongs[:: max(1, len(bank.wrongs) // 4)]:
        with much(which):
            assert misconception_of(bank.exercise, function, seed=which) == misconception
        kernel = Kernel(function, functools.partial(much, which))
        assert misconception_of(bank.exercise, kernel, seed=which) == misconception


@pytest.mark.parametrize("session", sorted(set(SESSIONS) - {"print options"}))  # these say nothing about a number
def test_a_check_brings_each_of_them(session):
    def seen():
        with warnings.catch_warnings(record=True):
            warnings.warn("does it raise?", stacklevel=1)
        return {name: value for name, value in state().items() if name not in ("warnings", "print", "random", "modes")}

    with modes.own():
        fresh = seen()
    assert fresh["gradients"]
    assert fresh["dtype"] == torch.float32
    with SESSIONS[session](), modes.own():
        assert seen() == fresh | {"matmul": seen()["matmul"]}
        assert seen()["matmul"] in ("none", "ieee")


def test_an_answer_may_read_tensors_that_were_made_in_inference_mode():
    with torch.inference_mode():
        one, two = torch.ones(()), torch.full((1, 1), 2.0)

        def scores(query, key):
            return torch.mul(query @ key.mT, other=one) * two / (two * query.shape[-1] ** 0.5)

        assert misconception_of("attention.scores", scores, seed=1) is None
    assert misconception_of("attention.scores", scores, seed=1) is None


def test_what_an_answer_switches_is_switched_back():
    def answer(query, key):
        torch.set_grad_enabled(False)
        torch.set_default_dtype(torch.float64)
        torch.manual_seed(1), random.seed(1), np.random.seed(1)
        np.seterr(all="raise")
        warnings.simplefilter("error")
        return query @ key.mT

    before = state()
    assert misconception_of("attention.scores", answer, seed=1) == "not-scaled"
    assert state() == before


@pytest.mark.parametrize("draw", [lambda: torch.rand(()).item(), random.random, np.random.rand])
def test_two_calls_draw_different_random_numbers(draw):
    """A result that differs from call to call must be seen, in the graded run too."""
    torch.manual_seed(0), random.seed(0), np.random.seed(0)
    first, second = (guard.call(draw).value for _ in range(2))
    assert first != second


def test_a_session_within_a_session():
    with modes.own(), torch.no_grad(), modes.own():
        assert torch.is_grad_enabled()


# The forms of a result


def numpy_numbers(value):
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return np.int64(value)
    if isinstance(value, float):
        return np.float64(value)
    if isinstance(value, str):
        return np.str_(value)
    return value


def of_a_finer_type(value):
    return value.double() if isinstance(value, torch.Tensor) and value.is_floating_point() else value


def as_float32(value):
    return np.float32(value) if isinstance(value, float) else value


def as_int32(value):
    whole = isinstance(value, torch.Tensor) and value.dtype == torch.int64
    return np.int32(value) if type(value) is int and abs(value) < 2**31 else value.int() if whole else value


def deep(form, value):
    if isinstance(value, list | tuple):
        return type(value)(deep(form, part) for part in value)
    return form(value)


def other_sequence(value):
    if isinstance(value, list | tuple):
        return (list if isinstance(value, tuple) else tuple)(map(other_sequence, value))
    return value


FORMS = {
    "NumPy's numbers": functools.partial(deep, numpy_numbers),
    "float64": functools.partial(deep, of_a_finer_type),
    "float32 in lists": functools.partial(deep, as_float32),
    "int32": functools.partial(deep, as_int32),
    "lists for tuples": other_sequence,
}
# The task names the type of the result.
NAMED = {
    "float64": {"attention.softmax", "transformer.positions", "transformer.layer_norm", "asl_data.iou"},
    "int32": {"transformer.teacher_forcing"},
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("exercise", "function"), ONE_EACH, ids=named(ONE_EACH))
def test_a_right_result_may_come_in_any_form_that_the_task_allows(exercise, function, form):
    def answer(*args, **kwargs):
        return FORMS[form](function(*args, **kwargs))

    misconception = "wrong-dtype" if exercise in NAMED.get(form, ()) else None
    for learner_object in (answer, Kernel(answer, contextlib.nullcontext)):
        report = checks.run(exercise, learner_object, seed=form)
        assert report.misconception == misconception, report.detail


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (np.float32(0.5), 0.5),
        (np.float64(0.5), 0.5),
        (np.int8(3), 3),
        (np.uint64(2**63), 2**63),
        (np.bool_(True), True),
        (np.str_("a"), "a"),
        (Fraction(1, 3), 1 / 3),
        ([np.int64(1), (np.float64(2), {np.str_("k"): np.bool_(False)})], [1, (2.0, {"k": False})]),
    ],
)
def test_a_number_becomes_a_plain_one(value, plain):
    found = guard.call(lambda: value).value
    assert found == plain
    assert repr(found) == repr(plain)


@pytest.mark.parametrize("value", [np.ones(()), np.ones(3), 1j, np.complex64(1), Fraction(10**400), b"1"])
def test_what_is_no_number_does_not_become_one(value):
    assert guard.call(lambda: value).failure == "wrong-type"


@pytest.mark.parametrize("exercise", ["attention.cost", "multi_head.cost"])
@pytest.mark.parametrize("wrong", [True, np.bool_(True), 2.0, np.float64(2), torch.tensor(2)])
def test_a_truth_value_and_a_fraction_are_no_whole_numbers(exercise, wrong):
    count = 2 if exercise == "attention.cost" else 3
    assert misconception_of(exercise, lambda *_: (wrong,) * count, seed=0) == "wrong-type"


class BadFileError(ValueError):
    pass


OtherError = type("ValueError", (Exception,), {})  # by its name alone


@pytest.mark.parametrize("graded", [False, True])
@pytest.mark.parametrize(
    ("error", "misconception"),
    [
        (BadFileError, None),
        (functools.partial(json.JSONDecodeError, doc="", pos=0), None),
        (KeyError, "other-error"),
        (OtherError, "other-error"),
    ],
)
def test_a_subclass_of_the_error_that_is_asked_for_counts(error, misconception, graded):
    (bank,) = (bank for bank in BANKS if bank.exercise == "asl_data.coco_boxes")

    def answer(content):
        try:
            return bank.rights[0](content)
        except ValueError as found:
            raise error(str(found)) from None

    learner_object = Kernel(answer, contextlib.nullcontext) if graded else answer
    assert misconception_of("asl_data.coco_boxes", learner_object, seed=0) == misconception


GRADIENT = [
    name
    for name in checks.CATALOGUE
    if any(text.startswith("a gradient comes back") for text, _ in checks.find(name).properties)
]


@pytest.mark.parametrize("exercise", GRADIENT)
def test_an_answer_that_switches_gradients_off_is_told_so(exercise):
    assert misconception_of(exercise, torch.no_grad()(dict(RIGHT)[exercise]), seed=0) == "cuts-gradient"


@pytest.mark.parametrize("exercise", GRADIENT)
def test_a_gradient_is_asked_for_where_the_task_asks_for_it(exercise):
    check = checks.find(exercise)
    (file,) = (LESSONS / check.exercise.lesson).glob("*_exercises.ipynb")
    cells = ["".join(cell["source"]) for cell in json.loads(file.read_text(encoding="utf-8"))["cells"]]
    (card,) = (cell for cell in cells if f"{{exercise-card}} {exercise}\n" in cell)
    assert "gradient" in card
