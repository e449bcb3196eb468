"""Answers to ``patches.count``: (tokens, parameters, attention weights)."""

from tests.checks.bank.entries import Bank

BANK = Bank("patches.count")


@BANK.right
def formula(image_size, patch_size, channels, dim):
    tokens = (image_size // patch_size) ** 2 + 1
    return tokens, (channels * patch_size**2 + 2 + tokens) * dim, tokens**2


@BANK.right
def part_by_part(image_size, patch_size, channels, dim):
    patches = image_size**2 // patch_size**2
    embedding = dim * channels * patch_size * patch_size + dim
    positions = (patches + 1) * dim
    return [patches + 1, embedding + dim + positions, (patches + 1) * (patches + 1)]


def with_one(index, count):
    def answer(s, p, c, d):
        result = list(formula(s, p, c, d))
        result[index] = count(s, p, c, d, (s // p) ** 2)
        return tuple(result)

    return answer


def tokens(count):
    return with_one(0, count)


def parameters(count):
    return with_one(1, count)


def weights(count):
    return with_one(2, count)


BANK.wrong("no-class-token")(tokens(lambda s, p, c, d, n: n))
BANK.wrong("one-side")(tokens(lambda s, p, c, d, n: s // p))
BANK.wrong("one-side")(tokens(lambda s, p, c, d, n: s // p + 1))
BANK.wrong("divides-once")(tokens(lambda s, p, c, d, n: s * s // p + 1))
BANK.wrong("counts-pixels")(tokens(lambda s, p, c, d, n: s * s + 1))
BANK.wrong("channels-as-tokens")(tokens(lambda s, p, c, d, n: c * n + 1))
BANK.wrong("overlapping")(tokens(lambda s, p, c, d, n: (s - p + 1) ** 2 + 1))
BANK.wrong("width-left-out")(parameters(lambda s, p, c, d, n: c * p * p * d + d + (n + 1) * d))
BANK.wrong("one-number-as-bias")(parameters(lambda s, p, c, d, n: c * p * p * d + 1 + d + (n + 1) * d))
BANK.wrong("width-left-out")(parameters(lambda s, p, c, d, n: c * p * p * d + d + n * d))
BANK.wrong("width-left-out")(parameters(lambda s, p, c, d, n: c * p * p * d + d + d + n * d))
BANK.wrong("width-left-out")(parameters(lambda s, p, c, d, n: c * p * p * d + (n + 1) * d))
BANK.wrong("no-positions")(parameters(lambda s, p, c, d, n: c * p * p * d + 2 * d))
BANK.wrong("no-positions")(parameters(lambda s, p, c, d, n: c * p * p * d + d))
BANK.wrong("one-number-as-position")(parameters(lambda s, p, c, d, n: c * p * p * d + 2 * d + n + 1))
BANK.wrong("no-channels")(parameters(lambda s, p, c, d, n: p * p * d + 2 * d + (n + 1) * d))
BANK.wrong("divides-once")(parameters(lambda s, p, c, d, n: c * p * d + 2 * d + (n + 1) * d))
BANK.wrong("one-for-each-patch")(parameters(lambda s, p, c, d, n: n * (c * p * p * d + d) + d + (n + 1) * d))
BANK.wrong("no-class-token")(weights(lambda s, p, c, d, n: n * n))
BANK.wrong("one-row")(weights(lambda s, p, c, d, n: n + 1))
BANK.wrong("half-the-pairs")(weights(lambda s, p, c, d, n: (n + 1) * (n + 2) // 2))
BANK.wrong("without-itself")(weights(lambda s, p, c, d, n: (n + 1) * n))
BANK.wrong("times-width")(weights(lambda s, p, c, d, n: (n + 1) ** 2 * d))
BANK.wrong("wrong-values")(weights(lambda s, p, c, d, n: (n + 1) ** 3))
BANK.wrong("wrong-type")(lambda s, p, c, d: ((s / p) ** 2 + 1, *formula(s, p, c, d)[1:]))
BANK.wrong("wrong-type")(lambda s, p, c, d: formula(s, p, c, d)[:2])
BANK.wrong("swapped")(lambda *sizes: formula(*sizes)[::-1])
