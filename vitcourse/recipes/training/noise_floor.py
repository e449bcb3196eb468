"""The recorded run ``noise_floor``: one training with many seeds, and two changes of it with the same seeds.

The seed draws the initial weights and the order of the images; the images are the same. How far apart the runs lie is
the least that a difference between two trainings has to exceed.
"""

from vitcourse.recipes import Say, recipe
from vitcourse.recipes.training.training_choices import CHANGES, STEPS, runs

SEEDS = tuple(range(24))
CHOICES = ("baseline", "not clipped", "no warm-up")


@recipe("noise_floor")
def record(say: Say) -> dict:
    """All three trainings with every seed."""
    return {"steps": STEPS, "rows": list(runs(SEEDS, {name: CHANGES[name] for name in CHOICES}, say))}
