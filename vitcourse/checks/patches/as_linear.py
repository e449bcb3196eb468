"""``patches.as_linear(weight)``: the weight of a patch embedding (D, C, p, p) for patches whose channels come last.

The result is (D, p p C): ``cut(images, p) @ as_linear(weight).T`` is the convolution with stride p.

Source: Dosovitskiy et al., "An Image is Worth 16x16 Words" (2020), equation 1.
"""

from torch import Tensor

from vitcourse.checks.engine.probe import Probe
from vitcourse.checks.engine.solved import Solved


def right(weight: Tensor) -> Tensor:
    return weight.permute(0, 2, 3, 1).flatten(1)


def wrong(weight: Tensor) -> dict[str, Tensor]:
    made, flat = right(weight), weight.flatten(1)
    return {
        "channels-first": flat,
        "turned": weight.permute(0, 3, 2, 1).flatten(1),
        "turned/channels": weight.mT.flatten(1),
        "outputs-mixed": weight.permute(2, 3, 1, 0).reshape(made.shape),
        "outputs-mixed/channels": weight.permute(1, 2, 3, 0).reshape(made.shape),
        "outputs-mixed/first": weight.transpose(0, 1).reshape(made.shape),
        "transposed": made.T,
        "transposed/channels": flat.T,
        "flipped": weight.flip(2, 3).permute(0, 2, 3, 1).flatten(1),
        "not-flat": weight.permute(0, 2, 3, 1),
        "not-flat/pixels": weight.permute(0, 2, 3, 1).flatten(1, 2),
        "channels-summed": weight.sum(1).flatten(1),
        "channels-averaged": weight.mean(1).flatten(1),
    }


as_linear = Solved("patches.as_linear", right=right, wrong=wrong)


@as_linear.on("each weight stands where the pixel and channel stand that it is multiplied with")
def draw(probe: Probe) -> tuple[Tensor]:
    channels, size = ((3, 2), (3, 4), (5, 3), (2, 3))[probe.integer(0, 3)]
    return (probe.normal(7, channels, size, size),)


as_linear.exact(lambda probe: (draw(probe)[0].double() / 3,))
as_linear.differentiable(draw, to="the weight")
