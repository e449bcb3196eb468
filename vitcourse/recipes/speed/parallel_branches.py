"""The recorded run ``parallel_branches_*``: branches one after the other against all branches in one product.

"Plain" computes the branches in a loop. "Folded" joins their weights, at each call or once beforehand, so that one
product serves all. Training would have to join them at each call, so `vitcourse.blocks.ParallelBlock` keeps the loop.
"""

import torch
from timm.models.vision_transformer import ParallelThingsBlock

from vitcourse.blocks import ParallelBlock
from vitcourse.recipes import Say, recipe
from vitcourse.recipes.speed.branches import FoldedBlock
from vitcourse.timing import interleaved, ratio

SIZES = {"ti": (192, 3), "s": (384, 6), "b": (768, 12)}
BATCHES = (1, 8)
TOKENS, ROUNDS = 197, 9


@recipe("parallel_branches")
def record(say: Say) -> tuple[str, dict]:
    """Times one block of two branches in inference; the file is ``parallel_branches_cpu.json`` or ``…_cuda.json``."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    dtype = torch.bfloat16 if device.type == "cuda" else torch.float32
    rows = []
    for size, (dim, heads) in SIZES.items():
        for batch in BATCHES:
            torch.manual_seed(0)
            plain = ParallelBlock(dim, heads, init_values=1e-1, num_parallel=2).to(device, dtype).eval()
            theirs = ParallelThingsBlock(dim, heads, 2, qkv_bias=True, init_values=1e-1).to(device, dtype).eval()
            theirs.load_state_dict(plain.state_dict())
            blocks = {
                "plain": plain,
                "folded in each call": FoldedBlock(plain),
                "folded once": FoldedBlock(plain, once=True),
                "timm": theirs,
            }
            x = torch.randn(batch, TOKENS, dim, device=device, dtype=dtype)
            with torch.inference_mode():
                expected = plain(x)
                for block in blocks.values():
                    torch.testing.assert_close(
                        block(x), expected, atol=1e-5 if dtype == torch.float32 else 0.1, rtol=1e-2
                    )
                times = interleaved({name: lambda b=b, x=x: b(x) for name, b in blocks.items()}, ROUNDS, device=device)
            rows.append(
                {
                    "width": size,
                    "batch": batch,
                    "milliseconds": {name: round(1e3 * sorted(t)[ROUNDS // 2], 3) for name, t in times.items()},
                    "ratio to plain": {name: ratio(times, name, "plain") for name in blocks if name != "plain"},
                }
            )
            say(f"{size}, batch {batch}: {rows[-1]['milliseconds']}")
    content = {"tokens": TOKENS, "branches": 2, "rounds": ROUNDS, "dtype": str(dtype), "rows": rows}
    return f"parallel_branches_{device.type}", content
