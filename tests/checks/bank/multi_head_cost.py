"""Answers to ``multi_head.cost``: (parameters, multiplications, attention weights)."""

from tests.checks.bank.entries import Bank

BANK = Bank("multi_head.cost")


@BANK.right
def formula(dim, num_heads, num_tokens):
    work = 4 * num_tokens * dim**2 + 2 * num_tokens**2 * dim
    return 4 * dim**2 + 4 * dim, work, num_heads * num_tokens**2


@BANK.right
def head_by_head(dim, num_heads, num_tokens):
    width, parameters, work, weights = dim // num_heads, dim, 0, 0
    for _head in range(num_heads):
        parameters += 3 * width * (dim + 1) + dim * width
        work += 4 * num_tokens * dim * width + 2 * num_tokens * num_tokens * width
        weights += num_tokens * num_tokens
    return [parameters, work, weights]


def with_one(index, count):
    def answer(dim, heads, tokens):
        result = list(formula(dim, heads, tokens))
        result[index] = count(dim, heads, tokens)
        return tuple(result)

    return answer


def parameters(count):
    return with_one(0, count)


def work(count):
    return with_one(1, count)


def weights(count):
    return with_one(2, count)


BANK.wrong("forgets-biases")(parameters(lambda D, h, n: 4 * D * D))
BANK.wrong("forgets-biases")(parameters(lambda D, h, n: 4 * D * D + D))
BANK.wrong("one-number-as-bias")(parameters(lambda D, h, n: 4 * D * D + 4))
BANK.wrong("times-tokens")(parameters(lambda D, h, n: n * (4 * D * D + 4 * D)))
BANK.wrong("forgets-tokens")(work(lambda D, h, n: 4 * D * D + 2 * n * n * D))
BANK.wrong("heads-squared")(weights(lambda D, h, n: h * h * n * n))
BANK.wrong("half-the-pairs")(weights(lambda D, h, n: h * n * (n + 1) // 2))
BANK.wrong("counts-twice")(weights(lambda D, h, n: 2 * h * n * n))
BANK.wrong("swapped")(lambda *sizes: formula(*sizes)[::-1])
BANK.wrong("forgets-output-weight")(parameters(lambda D, h, n: 3 * D * D + 3 * D))
BANK.wrong("forgets-output-weight")(work(lambda D, h, n: 3 * n * D * D + 2 * n * n * D))
BANK.wrong("parameters-times-heads")(parameters(lambda D, h, n: h * (4 * D * D + 4 * D)))
BANK.wrong("parameters-times-heads")(parameters(lambda D, h, n: 3 * h * (D * D + D) + D * D + D))
BANK.wrong("one-head-only")(parameters(lambda D, h, n: 4 * D * (D // h)))
BANK.wrong("one-head-only")(work(lambda D, h, n: 4 * n * D * D + 2 * n * n * (D // h)))
BANK.wrong("forgets-linear-maps")(work(lambda D, h, n: 2 * n * n * D))
BANK.wrong("forgets-attention")(work(lambda D, h, n: 4 * n * D * D))
BANK.wrong("one-product")(work(lambda D, h, n: 4 * n * D * D + n * n * D))
BANK.wrong("work-times-heads")(work(lambda D, h, n: 4 * n * D * D + 2 * h * n * n * D))
BANK.wrong("counts-additions")(work(lambda D, h, n: 8 * n * D * D + 4 * n * n * D))
BANK.wrong("forgets-heads")(weights(lambda D, h, n: n * n))
BANK.wrong("linear-in-tokens")(weights(lambda D, h, n: h * n))
BANK.wrong("weights-times-width")(weights(lambda D, h, n: n * n * D))
BANK.wrong("wrong-values")(work(lambda D, h, n: 4 * n * D + 2 * n * n))
BANK.wrong("wrong-type")(weights(lambda D, h, n: float(h * n * n)))
BANK.wrong("wrong-type")(lambda D, h, n: formula(D, h, n)[:2])
BANK.wrong("wrong-type")(lambda D, h, n: None)
