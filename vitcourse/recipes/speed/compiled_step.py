"""The recorded run ``compiled_step``: a training step of a ViT, as PyTorch runs it and under ``torch.compile``.

Both take the same steps, in turn, round after round, on one thread; what compiling itself takes is in the first step.
The ratio is compiled over eager.
"""

import copy
import time
from collections.abc import Callable
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import nn

from vitcourse.recipes import Say, recipe
from vitcourse.recipes.vit.vit_digits import DIGITS
from vitcourse.timing import interleaved, ratio
from vitcourse.vit import VARIANTS, VisionTransformer, ViTConfig

ROUNDS = 9
MODELS: dict[str, tuple[ViTConfig, int]] = {  # with images in a batch
    "digits": (replace(DIGITS, depth=2), 64),
    "ti/16, 4 blocks": (replace(VARIANTS["ti/16"], depth=4), 8),
}


def step_of(model: nn.Module, config: ViTConfig, batch: int) -> Callable[[], None]:
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
    images, labels = torch.randn(batch, config.in_chans, *[config.image_size] * 2), torch.arange(batch) % 10

    def step() -> None:
        F.cross_entropy(model(images), labels).backward()
        optimizer.step()
        optimizer.zero_grad()

    return step


@recipe("compiled_step")
def record(say: Say) -> dict:
    """Times every model both ways."""
    threads, rows = torch.get_num_threads(), []
    torch.set_num_threads(1)
    for name, (config, batch) in MODELS.items():
        torch.manual_seed(0)
        plain = VisionTransformer(config)
        steps = {
            "eager": step_of(plain, config, batch),
            "compiled": step_of(torch.compile(copy.deepcopy(plain)), config, batch),
        }
        start = time.perf_counter()
        steps["compiled"]()  # which compiles
        first = time.perf_counter() - start
        times = interleaved(steps, ROUNDS)
        medians = {way: round(1e3 * sorted(found)[len(found) // 2], 2) for way, found in times.items()}
        row = {"model": name, "batch": batch, "first_step_seconds": round(first, 1), "milliseconds": medians}
        rows.append(row | {"ratio": ratio(times, "compiled", "eager")})
        say(f"{name}: {medians}, the first step {first:.0f} s")
    torch.set_num_threads(threads)
    return {"rounds": ROUNDS, "rows": rows}
