"""``patches.cut(images, patch_size)``: (B, C, h, w) to (B, N, p p C), the channels of a pixel side by side.

Source: Dosovitskiy et al., "An Image is Worth 16x16 Words" (2020), section 3.1. Their images are (h, w, C), so a patch
is flattened pixel by pixel.
"""

from einops import rearrange
from torch import Tensor

from vitcourse.checks.engine.probe import Probe
from vitcourse.checks.engine.solved import Solved
from vitcourse.checks.patches.common import channels_mixed, draw_sizes, pieces

Case = tuple[Tensor, int]


def right(images: Tensor, patch_size: int) -> Tensor:
    return rearrange(pieces(images, patch_size), "b r k c y x -> b (r k) (y x c)")


def wrong(images: Tensor, patch_size: int) -> dict[str, Tensor]:
    cut, made = pieces(images, patch_size), right(images, patch_size)
    spread = rearrange(images, "b c (y r) (x k) -> b r k c y x", y=patch_size, x=patch_size)
    return {
        "channels-first": rearrange(cut, "b r k c y x -> b (r k) (c y x)"),
        "channels-first/turned": rearrange(cut, "b r k c y x -> b (r k) (c x y)"),
        "turned": rearrange(cut, "b r k c y x -> b (r k) (x y c)"),
        "columns-first": rearrange(cut, "b r k c y x -> b (k r) (y x c)"),
        "reshaped": images.reshape(made.shape),
        "reshaped/channels": images.permute(0, 2, 3, 1).reshape(made.shape),
        "reshaped/windows": channels_mixed(images, patch_size),
        "spread": rearrange(spread, "b r k c y x -> b (r k) (y x c)"),
        "spread/channels": rearrange(spread, "b r k c y x -> b (r k) (c y x)"),
        "counts-patches": rearrange(spread, "b r k c y x -> b (y x) (r k c)"),
        "patches-last": made.mT,
        "patches-last/channels": rearrange(cut, "b r k c y x -> b (c y x) (r k)"),
        "not-flat/pixels": rearrange(cut, "b r k c y x -> b (r k) y x c"),
        "not-flat/channels": rearrange(cut, "b r k c y x -> b (r k) c y x"),
        "not-flat/grid": rearrange(cut, "b r k c y x -> b r k (y x c)"),
        "channels-as-patches": rearrange(cut, "b r k c y x -> b (r k c) (y x)"),
        "channels-as-patches/first": rearrange(cut, "b r k c y x -> b (c r k) (y x)"),
    }


cut = Solved("patches.cut", right=right, wrong=wrong)


@cut.on("a patch is a square of neighbouring pixels, patches come in reading order, channels side by side")
def draw(probe: Probe) -> Case:
    size, rows, columns = draw_sizes(probe)
    return probe.normal(2, 3, rows * size, columns * size), size


def grey(probe: Probe) -> Case:
    images, size = draw(probe)
    return images[:, :1], size


def five_channels(probe: Probe) -> Case:
    size, rows, columns = draw_sizes(probe)
    return probe.normal(4, 5, rows * size, columns * size), size


cut.on("any number of channels will do, one and five too", otherwise="fixed-channels", only=["fixed-channels"])(
    grey, five_channels
)


def fine(probe: Probe) -> Case:
    images, size = draw(probe)
    return images.double() / 3, size


cut.exact(fine)
cut.differentiable(draw, to="the images")
