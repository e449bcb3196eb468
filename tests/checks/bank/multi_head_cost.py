"""Answers to ``multi_head.cost``: (parameters, multiplications, attention weights)."""

from tests.checks.bank.entries import Bank

BANK = Bank("multi_head.cost")


@BANK.right
def formula(dim, num_heads, num_tokens, num_context):
    maps = 2 * num_tokens * dim**2 + 2 * num_context * dim**2
    return 4 * dim**2 + 4 * dim, maps + 2 * num_tokens * num_context * dim, num_heads * num_tokens * num_context


@BANK.right
def head_by_head(dim, num_heads, num_tokens, num_context):
    width, parameters, work, weights = dim // num_heads, dim, 0, 0
    for _head in range(num_heads):
        parameters += 3 * width * (dim + 1) + dim * width
        work += (2 * num_tokens + 2 * num_context) * dim * width + 2 * num_tokens * num_context * width
        weights += num_tokens * num_context
    return [parameters, work, weights]


def with_one(index, count):
    def answer(*sizes):
        result = list(formula(*sizes))
        result[index] = count(*sizes)
        return tuple(result)

    return answer


def parameters(count):
    return with_one(0, count)


def work(count):
    return with_one(1, count)


def weights(count):
    return with_one(2, count)


BANK.wrong("forgets-biases")(parameters(lambda D, h, n, s: 4 * D * D))
BANK.wrong("forgets-biases")(parameters(lambda D, h, n, s: 4 * D * D + D))
BANK.wrong("one-number-as-bias")(parameters(lambda D, h, n, s: 4 * D * D + 4))
BANK.wrong("counts-both-sides")(parameters(lambda D, h, n, s: 7 * D * D + 7 * D))
BANK.wrong("times-tokens")(parameters(lambda D, h, n, s: n * (4 * D * D + 4 * D)))
BANK.wrong("forgets-output-weight")(parameters(lambda D, h, n, s: 3 * D * D + 3 * D))
BANK.wrong("parameters-times-heads")(parameters(lambda D, h, n, s: h * (4 * D * D + 4 * D)))
BANK.wrong("parameters-times-heads")(parameters(lambda D, h, n, s: 3 * h * (D * D + D) + D * D + D))
BANK.wrong("one-head-only")(parameters(lambda D, h, n, s: 4 * D * (D // h)))
BANK.wrong("self-attention")(lambda D, h, n, s: (4 * D * D + 4 * D, 4 * n * D * D + 2 * n * n * D, h * n * n))
BANK.wrong("maps-of-one-side")(work(lambda D, h, n, s: 4 * n * D * D + 2 * n * s * D))
BANK.wrong("wrong-side")(work(lambda D, h, n, s: (n + 3 * s) * D * D + 2 * n * s * D))
BANK.wrong("square-tables")(work(lambda D, h, n, s: 2 * (n + s) * D * D + 2 * n * n * D))
BANK.wrong("forgets-output-weight")(work(lambda D, h, n, s: (n + 2 * s) * D * D + 2 * n * s * D))
BANK.wrong("one-head-only")(work(lambda D, h, n, s: 2 * (n + s) * D * D + 2 * n * s * (D // h)))
BANK.wrong("forgets-tokens")(work(lambda D, h, n, s: 4 * D * D + 2 * n * s * D))
BANK.wrong("forgets-linear-maps")(work(lambda D, h, n, s: 2 * n * s * D))
BANK.wrong("forgets-attention")(work(lambda D, h, n, s: 2 * (n + s) * D * D))
BANK.wrong("one-product")(work(lambda D, h, n, s: 2 * (n + s) * D * D + n * s * D))
BANK.wrong("work-times-heads")(work(lambda D, h, n, s: 2 * (n + s) * D * D + 2 * h * n * s * D))
BANK.wrong("counts-additions")(work(lambda D, h, n, s: 4 * (n + s) * D * D + 4 * n * s * D))
BANK.wrong("square-tables")(weights(lambda D, h, n, s: h * n * n))
BANK.wrong("forgets-heads")(weights(lambda D, h, n, s: n * s))
BANK.wrong("heads-squared")(weights(lambda D, h, n, s: h * h * n * s))
BANK.wrong("linear-in-tokens")(weights(lambda D, h, n, s: h * (n + s)))
BANK.wrong("counts-twice")(weights(lambda D, h, n, s: 2 * h * n * s))
BANK.wrong("weights-times-width")(weights(lambda D, h, n, s: n * s * D))
BANK.wrong("swapped")(lambda *sizes: formula(*sizes)[::-1])
BANK.wrong("wrong-values")(work(lambda D, h, n, s: 4 * n * D + 2 * n * s))
BANK.wrong("wrong-type")(weights(lambda D, h, n, s: float(h * n * s)))
BANK.wrong("wrong-type")(lambda *sizes: formula(*sizes)[:2])
BANK.wrong("wrong-type")(lambda *sizes: None)
