"""Answers to ``training.rates``: a warm-up in a line, then half a cosine down to a floor."""

import math

import torch

from tests.checks.bank.entries import Bank

BANK = Bank("training.rates")


@BANK.right
def as_a_tensor(steps, warmup, peak, floor):
    step = torch.arange(steps, dtype=torch.float64)
    fall = floor + (peak - floor) * 0.5 * (1 + torch.cos(math.pi * (step - warmup) / (steps - warmup)))
    return torch.where(step < warmup, peak * (step + 1) / max(warmup, 1), fall)


@BANK.right
def with_schedulers(steps, warmup, peak, floor):
    """PyTorch's own two, one after the other."""
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=peak)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps - warmup, eta_min=floor)
    found = [peak * (i + 1) / warmup for i in range(warmup)]
    for _ in range(steps - warmup):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        cosine.step()
    return found


def fall(done, of, peak, floor):
    return floor + 0.5 * (peak - floor) * (1 + math.cos(math.pi * done / of))


def answer(
    rise=lambda i, steps, warmup, peak, floor: peak * (i + 1) / warmup,
    down=lambda i, steps, warmup, peak, floor: fall(i - warmup, steps - warmup, peak, floor),
):
    def written(steps, warmup, peak, floor):
        return [(rise if i < warmup else down)(i, steps, warmup, peak, floor) for i in range(steps)]

    return written


def over_all(i, steps, warmup, peak, floor):
    return fall(i, steps, peak, floor)


BANK.wrong("rises-from-zero")(answer(lambda i, steps, warmup, peak, floor: peak * i / warmup))
BANK.wrong("peak-too-late")(answer(lambda i, steps, warmup, peak, floor: peak * (i + 1) / (warmup + 1)))
BANK.wrong("rises-from-the-floor")(
    answer(lambda i, steps, warmup, peak, floor: floor + (peak - floor) * (i + 1) / warmup)
)
BANK.wrong("no-warm-up")(answer(over_all, over_all))
BANK.wrong("no-warm-up")(answer(lambda i, steps, warmup, peak, floor: peak))
BANK.wrong("cosine-over-all")(answer(down=over_all))
BANK.wrong("not-shifted")(answer(down=lambda i, steps, warmup, peak, floor: fall(i, steps - warmup, peak, floor)))
BANK.wrong("ends-at-the-floor")(
    answer(down=lambda i, steps, warmup, peak, floor: fall(i - warmup, steps - warmup - 1, peak, floor))
)
BANK.wrong("whole-wave")(
    answer(down=lambda i, steps, warmup, peak, floor: fall(2 * (i - warmup), steps - warmup, peak, floor))
)
BANK.wrong("quarter-wave")(
    answer(
        down=lambda i, steps, warmup, peak, floor: (
            floor + (peak - floor) * math.cos(math.pi * (i - warmup) / (steps - warmup) / 2)
        )
    )
)
BANK.wrong("no-pi")(
    answer(
        down=lambda i, steps, warmup, peak, floor: (
            floor + (peak - floor) / 2 * (1 + math.cos((i - warmup) / (steps - warmup)))
        )
    )
)
BANK.wrong("in-a-line")(
    answer(down=lambda i, steps, warmup, peak, floor: peak + (floor - peak) * (i - warmup) / (steps - warmup))
)
BANK.wrong("stays-up")(answer(down=lambda i, steps, warmup, peak, floor: peak))
BANK.wrong("no-floor")(answer(down=lambda i, steps, warmup, peak, _: fall(i - warmup, steps - warmup, peak, 0.0)))
BANK.wrong("floor-added")(
    answer(down=lambda i, steps, warmup, peak, floor: floor + fall(i - warmup, steps - warmup, peak, 0.0))
)
BANK.wrong("floor-cuts-off")(
    answer(down=lambda i, steps, warmup, peak, floor: max(floor, fall(i - warmup, steps - warmup, peak, 0.0)))
)
BANK.wrong("upside-down")(
    answer(down=lambda i, steps, warmup, peak, floor: fall(i - warmup, steps - warmup, floor, peak))
)
BANK.wrong("shares")(lambda steps, warmup, peak, floor: [rate / peak for rate in answer()(steps, warmup, peak, floor)])
BANK.wrong("wrong-type")(lambda *case: None)
BANK.wrong("wrong-shape")(lambda *case: [*answer()(*case), 0.0])
BANK.wrong("wrong-values")(
    answer(down=lambda i, steps, warmup, peak, floor: fall((i - warmup) ** 2, (steps - warmup) ** 2, peak, floor))
)


@BANK.wrong("cosine-over-all")
def product(steps, warmup, peak, floor):
    return [fall(i, steps, peak, floor) * (min(1, (i + 1) / warmup) if warmup else 1) for i in range(steps)]


@BANK.wrong("cosine-over-all")
def the_smaller_one(steps, warmup, peak, floor):
    return [min(peak * (i + 1) / warmup if warmup else peak, fall(i, steps, peak, floor)) for i in range(steps)]


@BANK.wrong("counts-from-one")
def from_one(steps, warmup, peak, floor):
    rates = []
    for step in range(1, steps + 1):
        if step < warmup:
            rates.append(peak * (step + 1) / warmup)
        else:
            rates.append(fall(step - warmup, steps - warmup, peak, floor))
    return rates
