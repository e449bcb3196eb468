"""The recorded run ``training_faults``: the runs of lesson 08's lab with several seeds, and what shows in each."""

from vitcourse.recipes import Say, recipe
from vitcourse.recipes.training import lab
from vitcourse.recipes.training.broken import RUNS
from vitcourse.recipes.training.faults import EPOCHS, Log

SEEDS = (0, 1, 2, 3)


def row_of(name: str, seed: int, log: Log) -> dict:
    """What a run showed: the numbers that the signs are read from, and the diagnoses that fit."""
    return {
        "run": name,
        "seed": seed,
        "train": round(lab.trained(log), 4),
        "held": [round(right, 4) for _, _, right in log.held],
        "held_loss": [round(loss, 4) for _, loss, _ in log.held],
        "first_loss": round(log.losses[0], 4),
        "twice": [round(right, 4) for right in log.twice],
        "levels": {part: [round(number, 3) for number in pair] for part, pair in log.levels.items()},
        "agree": round(log.agree, 4),
        "copies": round(lab.copies(log), 4),
        "spread": {part: [round(number, 4) for number in numbers] for part, numbers in log.spread.items()},
        "no_gradient": lab.cut(log),
        "not_moved": lab.unmoved(log),
        "first_gradient": {group: round(norms[0], 5) for group, norms in log.gradients.items()},
        "largest_step": {group: round(max(sizes), 5) for group, sizes in log.updates.items()},
        "fits": lab.fitting(log),
    }


@recipe("training_faults")
def record(say: Say) -> dict:
    """Trains every run with every seed."""
    rows = []
    for seed in SEEDS:
        for name, run in RUNS.items():
            rows.append(row_of(name, seed, run(seed, EPOCHS)()))
            say(f"run {name}, seed {seed}: {rows[-1]['held'][-1]:.1%} of the held-out images, {rows[-1]['fits']}")
    return {"epochs": EPOCHS, "rows": rows}
