"""The recorded run ``block_shapes``: about the same number of parameters as depth, as width, or as branches side by
side.

With a seed all shapes see the same digits in the same order, at one learning rate for all. What is compared are the
differences of runs with the same seed.
"""

from functools import partial

from vitcourse.recipes import Say, recipe
from vitcourse.recipes.vit.vit_digits import accuracy, digits, first, train, vit

BASE, SHAPES = (
    "4 blocks",
    {
        "4 blocks": {"depth": 4, "dim": 32},
        "16 narrow blocks": {"depth": 16, "dim": 16},
        "1 wide block": {"depth": 1, "dim": 64},
        "2 blocks of 2 branches": {"depth": 2, "dim": 32, "block": "parallel", "num_parallel": 2},
        "1 block of 4 branches": {"depth": 1, "dim": 32, "block": "parallel", "num_parallel": 4},
    },
)
SEEDS, STEPS, RATE, COUNT = tuple(range(8)), 300, 5e-3, 720


@recipe("block_shapes")
def record(say: Say) -> dict:
    """Trains every shape with every seed, on 720 digits that the seed draws."""
    test, rows, parameters = digits()["test"], [], {}
    for seed in SEEDS:
        for name, shape in SHAPES.items():
            model = train(partial(vit, patch_size=4, **shape), *first(COUNT, seed), RATE, seed=seed, steps=STEPS)
            parameters[name] = sum(p.numel() for p in model.parameters())
            rows.append({"shape": name, "seed": seed, "test": round(accuracy(model, *test), 4)})
            say(f"{name}, seed {seed}: {rows[-1]['test']:.1%}")
        yield {"base": BASE, "parameters": parameters, "steps": STEPS, "images": COUNT, "rows": rows}
