"""``block_variants.interval(first, second, t)``: accuracies by seed to a mean difference, its interval and a verdict.

Source: Student, "The Probable Error of a Mean" (1908).
"""

import torch
from torch import Tensor

from vitcourse.checks.engine.probe import Probe, Wrong, several
from vitcourse.checks.engine.solved import Solved
from vitcourse.checks.engine.words import describe

Runs = list[tuple[int, float]]  # seed and accuracy
Found = tuple[Tensor, Tensor, Tensor, Tensor]
VERDICTS = ("second", "open", "first")
QUANTILES = {5: 2.776, 6: 2.571, 7: 2.447}  # of Student's distribution for 95%, by the number of pairs


def _values(first: Runs, second: Runs) -> Tensor:
    """The accuracies of the seeds that both have, (2, n)."""
    one, other = dict(first), dict(second)
    return torch.tensor([[runs[seed] for seed in one if seed in other] for runs in (one, other)], dtype=torch.float64)


def _found(mean: Tensor, half: Tensor, verdict: Tensor | None = None) -> Found:
    if verdict is None:
        verdict = (mean - half > 0).long() - (mean + half < 0).long()
    return mean.float(), (mean - half).float(), (mean + half).float(), verdict  # as fine as a float32 answer can be


def right(first: Runs, second: Runs, t: float) -> Found:
    one, other = _values(first, second)
    apart = one - other
    return _found(apart.mean(), t * (apart.var() / len(apart)).sqrt())


def wrong(first: Runs, second: Runs, t: float) -> dict[str, Found]:
    one, other = _values(first, second)
    apart, count = one - other, one.shape[0]
    mean, spread = apart.mean(), apart.std()
    every = [torch.tensor([accuracy for _, accuracy in runs], dtype=torch.float64) for runs in (first, second)]
    shortest = min(map(len, every))
    by_place = every[0][:shortest] - every[1][:shortest]
    half = t * spread / count**0.5
    sign = mean.sign().long()
    decided = _found(mean, half)[3]
    return {
        "pairs-by-place": _found(by_place.mean(), t * by_place.std() / shortest**0.5),
        "unmatched-seeds": _found(every[0].mean() - every[1].mean(), half),
        "unmatched-seeds/unpaired": _found(
            every[0].mean() - every[1].mean(), t * sum(part.var() / len(part) for part in every).sqrt()
        ),
        "not-paired": _found(mean, t * ((one.var() + other.var()) / count).sqrt()),
        "not-paired/sum": _found(mean, t * (one.std() + other.std()) / count**0.5),
        "divided-by-n": _found(mean, half * ((count - 1) / count) ** 0.5),
        "deviation-not-error": _found(mean, t * spread),
        "root-missing": _found(mean, t * spread / count),
        "variance-not-deviation": _found(mean, t * spread**2 / count**0.5),
        "without-t": _found(mean, spread / count**0.5),
        "normal-quantile": _found(mean, 1.96 * spread / count**0.5),
        "other-quantile": _found(mean, 2.365 * spread / count**0.5),
        "turned": _found(-mean, half),
        "verdict-by-mean": _found(mean, half, sign),
        "verdict-turned": _found(mean, half, -decided),
        "always-open": _found(mean, half, torch.tensor(0)),
    }


def _read(value: object) -> object:
    """Three plain numbers and a word as four tensors."""
    *numbers, verdict = several(value, 4, "three numbers and a word (mean, low, high, verdict)")
    if not isinstance(verdict, str) or verdict not in VERDICTS:
        found = repr(verdict[:30]) if isinstance(verdict, str) else describe(verdict)
        raise Wrong("other-words", f"The verdict is {found}.")
    for number in numbers:
        if not isinstance(number, float | Tensor):
            raise Wrong("wrong-type", f"Mean, low and high should be numbers (float), got {describe(number)}.")
    made = [torch.as_tensor(number, dtype=torch.float32).reshape(()) for number in numbers]
    return *made, torch.tensor(VERDICTS.index(verdict) - 1)


interval = Solved(
    "block_variants.interval",
    right=right,
    wrong=wrong,
    parts=("the mean", "the lower end", "the upper end", "the verdict (-1 second, 0 open, 1 first)"),
    read=_read,
)


def _draw(probe: Probe, gap: float) -> tuple[Runs, Runs, float]:
    """Runs of two models whose seeds stand in another order, one seed of each without a partner."""
    count = probe.integer(5, 7)
    seeds = probe.sizes(count + 2, 0, 12)
    shared, noise = 0.05 * probe.normal(count + 2), 0.01 * probe.normal(2, count + 2)
    first, second = (0.8 + shared + noise[0] + gap).tolist(), (0.8 + shared + noise[1]).tolist()
    runs = [[(seed, round(value, 4)) for seed, value in zip(seeds, of, strict=True)] for of in (first, second)]
    del runs[0][0], runs[1][1]
    order = torch.randperm(len(runs[1]), generator=probe.generator).tolist()
    return runs[0], [runs[1][place] for place in order], QUANTILES[count]


def _until(probe: Probe, gap: float, verdicts: tuple[int, ...]) -> tuple[Runs, Runs, float]:
    while True:
        case = _draw(probe, gap)
        if right(*case)[3].item() in verdicts:
            return case


@interval.on("where the interval holds 0, the differences leave the matter open", but=["always-open", "verdict-turned"])
def undecided(probe: Probe) -> tuple[Runs, Runs, float]:
    return _until(probe, 0.003, (0,))


@interval.on("where it does not, one of the two is better on these seeds")
def decided(probe: Probe) -> tuple[Runs, Runs, float]:
    return _until(probe, 0.03 * (1 - 2 * probe.integer(0, 1)), (-1, 1))
