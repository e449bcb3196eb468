"""Attention of a bf16 training on a CPU: the same numbers by another kernel, and nothing left changed."""

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import Dataset

from vitcourse.attention import MultiHeadAttention
from vitcourse.training import TrainingConfig, fit
from vitcourse.training.kernels import attention_kernel

CPU = torch.device("cpu")


def enabled():
    switches = torch.backends.cuda
    return switches.flash_sdp_enabled(), switches.fp16_bf16_reduction_math_sdp_allowed()


def kernels_of(run):
    with torch.profiler.profile() as profile:
        run()
    return {event.name for event in profile.events() if "scaled_dot_product" in event.name}


class Tokens(Dataset):
    def __len__(self):
        return 4

    def __getitem__(self, index):
        return {"tokens": torch.randn(5, 16)}


def test_it_is_attention_and_leaves_no_trace():
    before = enabled()
    query, key, value = torch.randn(3, 2, 4, 10, 8).unbind(0)
    expected = F.scaled_dot_product_attention(query, key, value)
    with attention_kernel(CPU, "bf16"):
        assert enabled() == (False, True)
        found = F.scaled_dot_product_attention(query, key, value)
    torch.testing.assert_close(found, expected)
    assert enabled() == before


def test_other_precisions_and_devices_keep_the_choice_of_pytorch():
    before = enabled()
    for device, precision in ((CPU, "no"), (torch.device("cuda"), "bf16")):
        with attention_kernel(device, precision):
            assert enabled() == before


def test_the_training_loop_uses_it():
    """The fused kernel of the CPU has a name of its own in the profile of a training."""
    found = {}
    for precision in ("no", "bf16"):
        model = nn.ModuleList([MultiHeadAttention(16, 2)])
        config = TrainingConfig(epochs=1, batch_size=4, precision=precision)

        def loss(model, batch):
            return {"loss": model[0](batch["tokens"]).float().square().mean()}

        found[precision] = kernels_of(lambda: fit(model, Tokens(), loss, config))  # noqa: B023
    assert any("flash" in name for name in found["no"])
    assert found["bf16"]
    assert not any("flash" in name for name in found["bf16"])
