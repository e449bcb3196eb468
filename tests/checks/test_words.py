"""Two numbers in a message look different wherever they are, and alike where they are not."""

import math
import re
from decimal import Decimal

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from vitcourse import checks
from vitcourse.checks.engine.probe import Probe, Wrong
from vitcourse.checks.engine.words import apart

ANY = st.floats() | st.integers() | st.booleans()


def number(text):
    return {"True": Decimal(1), "False": Decimal(0)}.get(text) if text in ("True", "False") else Decimal(text)


@settings(deadline=None)
@given(ANY, ANY, st.integers(1, 6))
@example(1 / 3, 1 / 3 + 1e-7, 6)
@example(1_000_000, 1_000_000.4, 6)
@example(2**53, 2**53 + 1, 6)
@example(1152921504606847200, float(2**60 + 256), 6)
@example(1e308, math.inf, 6)
@example(5e-324, 0.0, 6)
def test_they_look_different_where_they_are(found, right, digits):
    texts = apart(found, right, digits)
    if found == right:
        assert number(texts[0]) == number(texts[1])
    elif found == found or right == right:
        assert number(texts[0]) != number(texts[1])
    else:
        assert texts == ("nan", "nan")


@settings(deadline=None)
@given(st.floats(), st.floats(1e-12, 1e-3))
def test_they_look_different_where_they_are_near(number, step):
    found, right = apart(number, number * (1 + step))
    assert found != right or number == number * (1 + step) or number != number


@pytest.mark.parametrize(
    ("found", "right", "texts"),
    [
        (0.25, 0.5, ("0.25", "0.5")),
        (1 / 3, 2 / 3, ("0.333333", "0.666667")),
        (0.33333333, 0.33333334, ("0.33333333", "0.33333334")),
        (-0.0, 0.0, ("0", "0")),
        (-0.0, 1.0, ("0", "1")),
        (math.nan, 0.5, ("nan", "0.5")),
        (12345678, 12345679, ("12345678", "12345679")),
        (12345678.0, 12345679.0, ("12345678", "12345679")),
        (True, False, ("True", "False")),
    ],
)
def test_with_as_few_digits_as_that_takes(found, right, texts):
    assert apart(found, right) == texts


def told(value, expected):
    """The two numbers of the message that `Probe.equal` gives."""
    probe = Probe(checks.CATALOGUE["attention.scores"], None, seed=0, salt=0)
    with pytest.raises(Wrong) as wrong:
        probe.equal(value, expected)
    return re.fullmatch(r".* is (\S+) and should be (\S+)\.", wrong.value.detail).groups()


@settings(deadline=None)
@given(
    st.lists(st.floats(width=32), min_size=1, max_size=5),
    st.floats(-1e-2, 1e-2),
    st.sampled_from([torch.float64, torch.float32, torch.float16]),
)
def test_so_they_do_in_a_message_about_an_entry(numbers, step, dtype):
    expected = torch.tensor(numbers, dtype=torch.float64).to(dtype)
    value = expected * (1 + step)
    probe = Probe(checks.CATALOGUE["attention.scores"], None, seed=0, salt=0)
    try:
        probe.equal(value, expected)
    except Wrong:
        found, right = told(value, expected)
        assert found != right


@pytest.mark.parametrize(
    ("value", "expected", "texts"),
    [
        ([math.nan, 1.0], [math.nan, 2.0], ("1", "2")),
        ([math.inf, 1.0], [math.inf, 2.0], ("1", "2")),
        ([math.inf], [-math.inf], ("inf", "-inf")),
        ([2**60, 2**60 + 1], [2**60, 2**60 + 2], (str(2**60 + 1), str(2**60 + 2))),
        ([True, False], [True, True], ("False", "True")),
        ([1234567], [1234568], ("1234567", "1234568")),
    ],
)
def test_the_entry_is_one_that_differs(value, expected, texts):
    assert told(torch.tensor(value), torch.tensor(expected)) == texts


def detail(exercise, function, seed=0):
    report = checks.run(exercise, function, seed)
    assert report.misconception is not None
    return report.detail


def test_a_cost_is_told_of_sizes_at_which_it_differs():
    calls = []

    def right_at_first(tokens, heads, width, size):
        calls.append(tokens)
        wrong = len(calls) % 2 and len(calls) > 1  # the second case of each property
        return heads * tokens**2 * size + wrong, 2 * heads * tokens**2 * width

    found, right = re.search(
        r"it is ([\d,]+) and should be ([\d,]+)\.", detail("attention.cost", right_at_first)
    ).groups()
    assert found != right

    layers = []

    def right_layer_at_first(dim, heads, tokens, context):
        layers.append(dim)
        wrong = len(layers) % 2 and len(layers) > 1
        work = 2 * (tokens + context) * dim**2 + 2 * tokens * context * dim
        return 4 * dim**2 + 4 * dim + wrong, work, heads * tokens * context

    found, right = re.search(
        r"it is ([\d,]+) and should be ([\d,]+)\.", detail("multi_head.cost", right_layer_at_first)
    ).groups()
    assert found != right


def test_a_weight_just_below_what_is_asked_for_looks_smaller():
    def aim(key, targets):
        own = key[range(len(targets)), targets]
        low, high = 0.0, 100.0
        for _ in range(60):  # the factor at which the least weight is just below 0.9
            middle = (low + high) / 2
            scores = torch.einsum("hd,hsd->hs", middle * own, key) / key.shape[-1] ** 0.5
            least = scores.softmax(-1)[range(len(targets)), targets].min()
            low, high = (low, middle) if least > 0.89996 else (middle, high)
        return low * own

    found, least = re.search(r"the weight is (\S+), which is below (\S+)\.", detail("multi_head.aim", aim)).groups()
    assert 0.8995 < float(found) < float(least) == 0.9


def test_a_beams_score_that_is_nearly_right_looks_different():
    from tests.checks.bank.transformer_beam import BANK

    def nearly(*given):
        ids, score = BANK.rights[0](*given)
        return list(ids), float(score) * (1 + 3e-4)

    found, right = re.search(
        r"gives \[.*\] and (\S+); right is \[.*\] and (\S+)\.$", detail("transformer.beam", nearly)
    ).groups()
    assert found != right


def test_a_mean_that_is_nearly_right_looks_different():
    from tests.checks.bank.asl_finetuning_choose import BANK

    def nearly(runs):
        name, mean, *rest = BANK.rights[0](runs)
        return name, float(mean) + 6e-5, *rest

    given, right = re.fullmatch(
        r"You return (.*); it should be (.*)\.", detail("asl_finetuning.choose", nearly)
    ).groups()
    assert given != right


def test_two_divisors_that_are_nearly_equal_look_different():
    def scores(query, key):
        return query @ key.mT / (3.30001 if query.shape[-1] < 20 else 3.30002)

    first, second = re.search(r"divided by (\S+), at width \d+ by (\S+)\.", detail("attention.scores", scores)).groups()
    assert first != second


@pytest.mark.parametrize(
    ("product", "fits"),
    [
        (lambda query, key: query @ key[0], True),
        (lambda query, key: torch.nn.functional.linear(query, key.mT[0]), True),
        (lambda query, key: query @ key[0, :, 1:].mT, False),
    ],
)
def test_a_product_that_fits_transposed_is_told_so(product, fits):
    with pytest.raises(Wrong) as failed:
        Probe(checks.find("attention.scores").exercise, product, 0, 0).call(torch.ones(1, 3, 4), torch.ones(1, 5, 4))
    assert failed.value.misconception == "raises"
    assert ("fits if it is transposed" in failed.value.detail) == fits
