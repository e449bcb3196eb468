"""Answers to ``attention.cost``: (bytes of the weights, multiplications of both products)."""

from tests.checks.bank.entries import Bank

BANK = Bank("attention.cost")


@BANK.right
def formula(num_tokens, num_heads, head_width, bytes_per_number):
    pairs = num_heads * num_tokens**2
    return pairs * bytes_per_number, 2 * pairs * head_width


@BANK.right
def counted(num_tokens, num_heads, head_width, bytes_per_number):
    numbers = multiplications = 0
    for _head in range(num_heads):
        for _query in range(num_tokens):
            numbers += num_tokens
            multiplications += num_tokens * head_width + head_width * num_tokens
    return [numbers * bytes_per_number, multiplications]


def of_bytes(count):
    return lambda n, h, d, b: (count(n, h, d, b), 2 * h * n * n * d)


def of_work(count):
    return lambda n, h, d, b: (h * n * n * b, count(n, h, d, b))


BANK.wrong("swapped")(lambda *sizes: formula(*sizes)[::-1])
BANK.wrong("forgets-heads")(of_bytes(lambda n, h, d, b: n * n * b))
BANK.wrong("forgets-heads")(of_work(lambda n, h, d, b: 2 * n * n * d))
BANK.wrong("heads-squared")(of_bytes(lambda n, h, d, b: (h * n) ** 2 * b))
BANK.wrong("counts-twice")(of_bytes(lambda n, h, d, b: 2 * h * n * n * b))
BANK.wrong("counts-vectors")(of_bytes(lambda n, h, d, b: (h * n * n + 3 * h * n * d) * b))
BANK.wrong("times-width")(of_bytes(lambda n, h, d, b: h * n * n * d * b))
BANK.wrong("times-width")(of_work(lambda n, h, d, b: 2 * h * (n * d) ** 2))
BANK.wrong("counts-softmax")(of_work(lambda n, h, d, b: h * n * n * (2 * d + 1)))
BANK.wrong("linear-in-tokens")(of_bytes(lambda n, h, d, b: h * n * b))
BANK.wrong("linear-in-tokens")(of_bytes(lambda n, h, d, b: 3 * h * n * d * b))
BANK.wrong("linear-in-tokens")(of_work(lambda n, h, d, b: 2 * h * n * d))
BANK.wrong("half-the-pairs")(of_bytes(lambda n, h, d, b: h * n * (n + 1) // 2 * b))
BANK.wrong("half-the-pairs")(of_work(lambda n, h, d, b: h * n * (n + 1) * d))
BANK.wrong("counts-numbers")(of_bytes(lambda n, h, d, b: h * n * n))
BANK.wrong("bits")(of_bytes(lambda n, h, d, b: h * n * n * b * 8))
BANK.wrong("scaled-unit")(of_bytes(lambda n, h, d, b: h * n * n * b // 2**20))
BANK.wrong("one-product")(of_work(lambda n, h, d, b: h * n * n * d))
BANK.wrong("counts-additions")(of_work(lambda n, h, d, b: 4 * h * n * n * d))
BANK.wrong("counts-projections")(of_work(lambda n, h, d, b: 2 * h * n * n * d + 3 * n * (h * d) ** 2))
BANK.wrong("forgets-width")(of_work(lambda n, h, d, b: 2 * h * n * n))
BANK.wrong("wrong-values")(of_work(lambda n, h, d, b: 2 * h * n * n * d * b))
BANK.wrong("wrong-type")(of_bytes(lambda n, h, d, b: h * n * n * b / 1.0))
BANK.wrong("wrong-type")(lambda n, h, d, b: h * n * n * b)
BANK.wrong("wrong-type")(lambda n, h, d, b: None)
