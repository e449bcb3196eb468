"""Answers to ``vit.parameters``: (embedding, one block, whole model)."""

from tests.checks.bank.entries import Bank

BANK = Bank("vit.parameters")


@BANK.right
def formula(image_size, patch_size, channels, dim, depth, classes):
    tokens = 1 + (image_size // patch_size) ** 2
    embedding = patch_size**2 * channels * dim + dim + dim + tokens * dim
    block = 12 * dim**2 + 13 * dim
    return embedding, block, embedding + depth * block + 2 * dim + dim * classes + classes


@BANK.right
def part_by_part(image_size, patch_size, channels, dim, depth, classes):
    def linear(inputs, outputs):
        return inputs * outputs + outputs

    norm, side = 2 * dim, image_size // patch_size
    embedding = linear(patch_size * patch_size * channels, dim) + dim + (side * side + 1) * dim
    block = norm + linear(dim, 3 * dim) + linear(dim, dim) + norm + linear(dim, 4 * dim) + linear(4 * dim, dim)
    whole = embedding + norm + linear(dim, classes)
    for _layer in range(depth):
        whole += block
    return [embedding, block, whole]


def with_one(index, change):
    """The right answer, with a number changed by what ``change`` of (right, image, p, c, D, depth, K) gives."""

    def answer(*sizes):
        result = list(formula(*sizes))
        result[index] = change(result[index], *sizes)
        return tuple(result)

    return answer


def embedding(name, change):
    BANK.wrong(name)(with_one(0, change))


def block(name, change):
    BANK.wrong(name)(with_one(1, lambda right, i, p, c, D, depth, K: change(right, D, (i // p) ** 2)))


def whole(name, change):
    BANK.wrong(name)(with_one(2, change))


embedding("one-number-as-bias", lambda right, i, p, c, D, depth, K: right - D + 1)
embedding("forgets-class-token", lambda right, i, p, c, D, depth, K: (p * p * c + 1) * D + (i // p) ** 2 * D)
embedding("forgets-positions", lambda right, i, p, c, D, depth, K: (p * p * c + 1) * D + D)
embedding("one-position", lambda right, i, p, c, D, depth, K: (p * p * c + 1) * D + 2 * D)
embedding("positions-per-pixel", lambda right, i, p, c, D, depth, K: (p * p * c + 1) * D + D + i * i * D)
embedding("one-axis", lambda right, i, p, c, D, depth, K: (p * p * c + 1) * D + D + (1 + i // p) * D)
embedding("weight-per-patch", lambda right, i, p, c, D, depth, K: right + ((i // p) ** 2 - 1) * p * p * c * D)
embedding("forgets-channels", lambda right, i, p, c, D, depth, K: (p * p + 1) * D + D + (1 + (i // p) ** 2) * D)
embedding("one-pixel", lambda right, i, p, c, D, depth, K: (p * c + 1) * D + D + (1 + (i // p) ** 2) * D)
block("forgets-biases", lambda right, D, n: 12 * D * D + 4 * D)
block("forgets-biases", lambda right, D, n: 12 * D * D)
block("one-number-as-bias", lambda right, D, n: 12 * D * D + 4 * D + 4)
block("forgets-norms", lambda right, D, n: 12 * D * D + 9 * D)
block("one-norm", lambda right, D, n: 12 * D * D + 11 * D)
block("norm-has-two", lambda right, D, n: 12 * D * D + 9 * D + 4)
block("forgets-output-weight", lambda right, D, n: 11 * D * D + 12 * D)
block("forgets-attention", lambda right, D, n: 8 * D * D + 9 * D)
block("mlp-once", lambda right, D, n: 8 * D * D + 12 * D)
block("mlp-not-wider", lambda right, D, n: 6 * D * D + 10 * D)
block("times-tokens", lambda right, D, n: (n + 1) * right)
BANK.wrong("all-blocks")(with_one(1, lambda right, i, p, c, D, depth, K: depth * right))
whole("forgets-head", lambda right, i, p, c, D, depth, K: right - D * K - K)
whole("head-without-bias", lambda right, i, p, c, D, depth, K: right - K)
whole("forgets-last-norm", lambda right, i, p, c, D, depth, K: right - 2 * D)
whole("forgets-head-and-norm", lambda right, i, p, c, D, depth, K: right - 2 * D - D * K - K)
whole("one-block-only", lambda right, i, p, c, D, depth, K: right - (depth - 1) * (12 * D * D + 13 * D))
whole("forgets-embedding", lambda right, *sizes: right - formula(*sizes)[0])
whole("head-on-all-tokens", lambda right, i, p, c, D, depth, K: right + (i // p) ** 2 * (D * K + K))
whole("norm-in-every-block", lambda right, i, p, c, D, depth, K: right + (depth - 1) * 2 * D)
whole("wrong-values", lambda right, *sizes: right + 17)
BANK.wrong("one-vector-short")(
    with_one(0, lambda right, i, p, c, D, depth, K: (p * p * c + 1) * D + D + (i // p) ** 2 * D)
)
BANK.wrong("swapped")(lambda *sizes: formula(*sizes)[::-1])
BANK.wrong("wrong-type")(lambda *sizes: formula(*sizes)[2])
BANK.wrong("wrong-type")(lambda *sizes: tuple(map(float, formula(*sizes))))
