"""A finished answer is recognised under every name; the tools that a learner may use are not."""

import functools
import math

import pytest
import torch
import torch.nn.functional as F

import vitcourse.attention
from vitcourse import checks
from vitcourse.attention import MultiHeadAttention
from vitcourse.attention import attention as saved_answer
from vitcourse.checks.engine import guard
from vitcourse.checks.engine.guard import Rules

PROVIDED = checks.CATALOGUE["attention.attention"].forbidden
FUSED, LAYER = "torch.nn.functional.scaled_dot_product_attention", "torch.nn.MultiheadAttention"
saved_kernel = F.scaled_dot_product_attention
saved_layer = torch.nn.MultiheadAttention(8, 2, batch_first=True)
used_before = torch.compile(lambda x: F.scaled_dot_product_attention(x, x, x))
X = torch.randn(2, 4, 8)


def imports_inside(x):
    from vitcourse.attention import fused_attention

    return fused_attention(x, x, x)


def swallows_what_comes(x):
    try:
        return saved_kernel(x, x, x)
    except BaseException:
        return x


def past_the_function_mode(x):
    with torch._C.DisableTorchFunction():
        return saved_kernel(x, x, x)


def layer_without_gradient(x):
    with torch.no_grad():
        return saved_layer.eval()(x, x, x)[0]


def with_its_projections(x):
    weights = saved_layer.in_proj_weight, saved_layer.in_proj_bias, None, None, False, 0.0
    return F.multi_head_attention_forward(x, x, x, 8, 2, *weights, saved_layer.out_proj.weight, None)[0]


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (lambda x: F.scaled_dot_product_attention(x, x, x), FUSED),
        (lambda x: saved_kernel(x, x, x), FUSED),
        (functools.partial(saved_kernel, X, X), FUSED),
        (lambda x: torch._C._nn.scaled_dot_product_attention(x, x, x), FUSED),
        (lambda x: torch.ops.aten.scaled_dot_product_attention(x, x, x), FUSED),
        (lambda x: torch.ops.aten.scaled_dot_product_attention.default(x, x, x), FUSED),
        (lambda x: torch.ops.aten._scaled_dot_product_attention_math(x, x, x), FUSED),
        (torch.compile(lambda x: F.scaled_dot_product_attention(x, x, x)), FUSED),
        (used_before, FUSED),
        (lambda x: torch.compile(lambda y: saved_kernel(y, y, y))(x), FUSED),
        (past_the_function_mode, FUSED),
        (swallows_what_comes, FUSED),
        (lambda x: saved_layer(x, x, x)[0], LAYER),
        (layer_without_gradient, LAYER),
        (lambda x: torch.nn.MultiheadAttention(8, 2)(x, x, x)[0], LAYER),
        (with_its_projections, LAYER),
        (torch.nn.TransformerEncoderLayer(8, 2, batch_first=True), LAYER),
        (torch.nn.TransformerEncoderLayer(8, 2, batch_first=True).eval(), LAYER),
        (lambda x: vitcourse.attention.attention(x, x, x)[0], "vitcourse"),
        (lambda x: saved_answer(x, x, x)[0], "vitcourse"),
        (torch.compile(lambda x: saved_answer(x, x, x)[0]), "vitcourse"),
        (saved_answer, "vitcourse"),
        (MultiHeadAttention(8, 2), "vitcourse"),
        (imports_inside, "vitcourse"),
        (lambda x: checks.attention.scores.run(lambda *_: 1) and x, "vitcourse"),
    ],
)
def test_a_finished_answer_is_recognised(function, name):
    used_before(X)
    args = (X, X, X) if function is saved_answer else (X,)
    outcome = guard.call(function, args, rules=Rules(forbidden=PROVIDED))
    assert outcome.failure == "forbidden-call", outcome
    assert outcome.detail == name


@pytest.mark.parametrize(
    "function",
    [
        lambda x: torch.softmax(x @ x.mT / math.sqrt(8), dim=-1) @ x,
        lambda x: F.softmax(torch.einsum("bld,bsd->bls", x, x), dim=-1),
        lambda x: torch.baddbmm(torch.zeros(1), x, x.mT).softmax(-1),
        torch.nn.Sequential(torch.nn.Linear(8, 8), torch.nn.LayerNorm(8)),
        torch.vmap(lambda row: row @ row.mT),
        torch.compile(lambda x: torch.softmax(x @ x.mT, dim=-1)),
    ],
)
def test_the_tools_of_the_trade_are_allowed(function):
    outcome = guard.call(function, (X,), rules=Rules(forbidden=PROVIDED))
    assert outcome.failure is None, outcome


def test_only_what_is_forbidden_is_recognised():
    assert guard.call(saved_answer, (X, X, X)).failure is None
    assert guard.call(saved_answer, (X, X, X), rules=Rules(forbidden=(FUSED,))).failure is None
    assert guard.call(lambda x: saved_kernel(x, x, x), (X,), rules=Rules(forbidden=("vitcourse",))).failure is None


def test_a_name_that_only_starts_alike_is_another():
    scope = {"__name__": "vitcoursework"}
    exec("def mine(x):\n    return x + 1", scope)
    assert guard.call(scope["mine"], (1,), rules=Rules(forbidden=PROVIDED)).value == 2


def test_a_call_outside_the_check_is_nobodys_business():
    watched = guard.call(lambda x: x, (1,), rules=Rules(forbidden=PROVIDED))
    saved_answer(X, X, X)
    assert watched.failure is None


@pytest.mark.parametrize("name", ["scores", "softmax", "attention", "causal_mask", "repair"])
def test_the_exercises_of_lesson_01_recognise_the_package(name):
    exercise = f"attention.{name}"

    def answer(*args, **kwargs):
        if exercise == "attention.causal_mask":
            return vitcourse.attention.causal_mask(*args)
        query, key, value = args[0], args[1] if len(args) > 1 else args[0], args[2] if len(args) > 2 else args[-1]
        return saved_answer(query, key, value if value.shape[-2] == key.shape[-2] else key)

    report = checks.run(exercise, answer)
    assert report.misconception == "forbidden-call"
    assert "vitcourse" in report.detail
