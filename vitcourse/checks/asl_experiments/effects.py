"""``asl_experiments.effects(scores)``: what one factor does at each level of another, and how far that differs.

Source: Fisher, "The Design of Experiments" (1935), chapter VI (factorial designs).
"""

from torch import Tensor

from vitcourse.checks.engine.probe import Probe
from vitcourse.checks.engine.solved import Solved

Found = tuple[Tensor, Tensor]


def right(scores: Tensor) -> Found:
    return _told((scores[-1] - scores[0]).mean(-1))


def _told(effect: Tensor) -> Found:
    return effect, effect[-1] - effect[0]


def wrong(scores: Tensor) -> dict[str, Found]:
    effect, found = right(scores)
    means = scores.mean(-1)
    return {
        "other-factor": _told(means[:, -1] - means[:, 0]),
        "turned": _told(-effect),
        "one-effect": (effect.mean(), found),
        "second-not-last": _told(means[1] - means[0]),
        "second-not-last/both": (second := means[1] - means[0], second[1] - second[0]),
        "best-not-last": _told(means.amax(0) - means.amin(0)),
        "best-seed": _told(scores.amax(-1)[-1] - scores.amax(-1)[0]),
        "interaction-turned": (effect, -found),
        "interaction-summed": (effect, effect[-1] + effect[0]),
    }


effects = Solved(
    "asl_experiments.effects", right=right, wrong=wrong, parts=("the effects", "the interaction"), first="level"
)


def draw(probe: Probe) -> tuple[Tensor]:
    """Three sizes that differ; the middle level is the best, and the effect shrinks along the second factor."""
    first, second, seeds = probe.sizes(3, 3, 7)
    scores = 0.5 + 0.1 * probe.uniform(first, second, seeds)
    scores[first // 2] += 0.3
    scores[-1, 0] += 0.2
    return (scores,)


effects.on("the effect is the last level less the first, and the interaction how far it changes")(draw)
effects.exact(lambda probe: (draw(probe)[0].double() * 0.987654321,))
