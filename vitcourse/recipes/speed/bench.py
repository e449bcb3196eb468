"""The recorded runs ``bench_cpu`` and ``bench_cuda``: our models beside those of timm, Hugging Face and torchvision.

The same config and the same weights in each library, in turn: a forward pass, or a training step with AdamW. ``6x2``
are 6 blocks of two parallel branches, which only timm has too. ``difference`` is the largest difference between their
logits and ours, as a share of the largest logit; ``ratio`` is our time over theirs, below 1 where ours is faster.
"""

import torch

from vitcourse.recipes import Say, recipe
from vitcourse.recipes.speed.cases import MODELS, cases, measure
from vitcourse.recipes.speed.report import case_name


@recipe("bench")
def record(say: Say) -> tuple[str, dict]:
    """Measures every case; the file is ``bench_cpu.json`` or, where there is a CUDA device, ``bench_cuda.json``."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    rows = []
    for case in cases(list(MODELS), device):
        rows.append(measure(case, device))
        ratios = ", ".join(f"{library} {found['median']:.3f}" for library, found in rows[-1]["ratio"].items())
        say(f"{case_name(rows[-1])}: ours over {ratios}")
    return f"bench_{device.type}", {"rows": rows}
