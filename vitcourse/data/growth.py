"""How the boxes of a photo's copies grew: three models, and what each makes of the sizes that are found.

A box w wide and h high in the photo, turned by t and sheared by a along x and by b along y, has in the copy the sides

    hull of a hull     W = U + |tan a| V, H = V + |tan b| U, where U = w cos t + h |sin t|, V = h cos t + w |sin t|
    one hull           the upright box around the corners after both
    same size          W = w, H = h

Registration gives the map from the first copy to each other one, and so how their angles differ. What is left open (two
numbers of the first copy, and one of each copy) is drawn evenly from all that is possible; w and h are linear in each
model, and are integrated out (Bishop, "Pattern Recognition and Machine Learning", 2006, section 3.3).

Shape legend: K copies of the photo, M draws of its angles.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

MOST = math.radians(5)  # the largest turn, and the largest shear along either axis
DRAWS = 2**15
NOISES = tuple(0.5 * 2 ** (i / 2) for i in range(11))  # pixels by which a side deviates; the likeliest is taken
PRIOR = (0.9, 0.15)  # of w as a share of the mean W found: mean and deviation; of h likewise


def _twice(sine: Tensor, cosine: Tensor, along_x: Tensor, along_y: Tensor) -> list[Tensor]:
    sine, along_x, along_y = sine.abs(), along_x.abs(), along_y.abs()
    return [cosine + along_x * sine, sine + along_x * cosine, sine + along_y * cosine, cosine + along_y * sine]


def _once(sine: Tensor, cosine: Tensor, along_x: Tensor, along_y: Tensor) -> list[Tensor]:
    across = (along_x * cosine - sine).abs(), (along_y * cosine + sine).abs()
    return [(cosine + along_x * sine).abs(), *across, (cosine - along_y * sine).abs()]


def _never(sine: Tensor, *_: Tensor) -> list[Tensor]:
    one, none = torch.ones_like(sine), torch.zeros_like(sine)
    return [one, none, none, one]


# From sin and cos of the turn and the tangents of the shears to W per w, W per h, H per w, H per h.
MODELS = {"hull of a hull": _twice, "one hull": _once, "same size": _never}


class Photo:
    """One photo: the sizes of its copies' boxes, and draws of what their angles may have been.

    Args:
        places: the K copies in their set, the first of them the one that the others are registered to.
        found: (K, 2) width and height of their boxes, in pixels.
        whole: (K, 2), False for an axis of which the picture's edge has cut something off.
        maps: (K, 2, 2) from the first copy to each.
    """

    def __init__(self, places: list[int], found: Tensor, whole: Tensor, maps: Tensor):
        self.places, self.found, self.whole = places, found, whole
        # A turn by t and shears a, b make the map [[1, p], [q, 1]] with p = tan a cos t - sin t, q = tan b cos t +
        # sin t; its diagonal differs from 1 by less than a hundredth.
        draws = torch.quasirandom.SobolEngine(2 + len(places), scramble=True, seed=0).draw(DRAWS)
        first = []
        for axis, off in enumerate((maps[:, 0, 1], maps[:, 1, 0])):
            low = (-off - 2 * MOST).max()  # p (and q) of the first copy so that those of all copies are possible
            high = torch.maximum((2 * MOST - off).min(), low + 1e-3)
            first.append((low + draws[:, axis] * (high - low))[:, None])
        p, q = first[0] * maps[:, 0, 0] + maps[:, 0, 1], first[1] * maps[:, 1, 1] + maps[:, 1, 0]  # (M, K)
        most = torch.full_like(p, MOST)
        low, high = torch.stack([-most, -most - p, q - most]).amax(0), torch.stack([most, most - p, q + most]).amin(0)
        room = (high - low).clamp_min(1e-6)
        self.prior = room.log().sum(1)  # (M,), but for a constant
        sine = low + draws[:, 2:] * room
        cosine = (1 - sine**2).sqrt()
        self.angles = sine, cosine, (p + sine) / cosine, (q - sine) / cosine

    def evidence(self, model: str) -> Tensor:
        """The logarithm of how likely the sizes are under a model with each of `NOISES`, but for a shared constant."""
        sums, _ = self._sums(model)
        return torch.stack([self._fitted(sums, noise)[0].logsumexp(0) for noise in NOISES])

    def _sums(self, model: str) -> tuple[list[Tensor], Tensor]:
        """Sums of squares and products over the copies (M,), for least squares; and the model's numbers (4, M, K)."""
        rows = torch.stack(MODELS[model](*self.angles))
        (a, b, c, d), (wide, high), (on_width, on_height) = rows, self.found.T, self.whole.float().T
        pairs = ((a, a, c, c), (a, b, c, d), (b, b, d, d), (a, wide, c, high), (b, wide, d, high))
        return [(on_width * one * two + on_height * three * four).sum(1) for one, two, three, four in pairs], rows

    def _fitted(self, sums: list[Tensor], noise: float) -> tuple[Tensor, Tensor, Tensor]:
        """How well each draw explains the sizes, as the logarithm of its share in the evidence (M,); and w and h under
        it, means and variances (M, 2)."""
        middle = self.found.mean(0) * PRIOR[0]
        strength = (self.found.mean(0) * PRIOR[1]) ** -2
        first, both, second, left, right = (part / noise**2 for part in sums)
        first, second = first + strength[0], second + strength[1]
        left, right = left + strength[0] * middle[0], right + strength[1] * middle[1]
        area = first * second - both**2
        sides = torch.stack([second * left - both * right, first * right - both * left], 1) / area[:, None]
        spent = (self.whole * self.found**2).sum() / noise**2 + (strength * middle**2).sum()
        misfit = spent - sides[:, 0] * left - sides[:, 1] * right
        evidence = (strength.log().sum() - area.log() - misfit) / 2 - self.whole.sum() * math.log(noise)
        return self.prior + evidence, sides, torch.stack([second, first], 1) / area[:, None]

    def solve(self, noise: float) -> dict[str, Tensor]:
        """The means of what the first model leaves possible, and their deviations.

        Returns:
            ``extra`` (K, 2), the pixels that each box's width and height have too many; ``deviation``, of w and h as a
            share of them; ``angles`` (K, 3), turn and shears in degrees, and ``angle_deviation`` (K, 3).
        """
        sums, (a, b, c, d) = self._sums("hull of a hull")
        share, sides, variance = self._fitted(sums, noise)
        share = share.softmax(0)
        w, h = sides.T[:, :, None]
        extra = torch.stack([(a - 1) * w + b * h, c * w + (d - 1) * h], -1)  # (M, K, 2)
        mean = share @ sides
        spread = (share @ ((sides - mean) ** 2 + variance)).sqrt()
        sine, _, along_x, along_y = self.angles
        angles = torch.stack([sine.asin(), along_x.atan(), along_y.atan()], -1).rad2deg()
        typical = torch.einsum("m,mkn->kn", share, angles)
        return {
            "extra": torch.einsum("m,mkn->kn", share, extra),
            "deviation": (spread / mean).mean(),
            "angles": typical,
            "angle_deviation": torch.einsum("m,mkn->kn", share, (angles - typical) ** 2).sqrt(),
        }


def compare(photos: Sequence[Photo]) -> tuple[dict[str, tuple[float, float]], dict[str, float]]:
    """How much better the hull of a hull explains the sizes than each of `MODELS`, each with the noise that suits it.

    Returns:
        For each model the mean difference in nats a photo and its standard error; and its noise in pixels.
    """
    best, noises = {}, {}
    for model in MODELS:
        tried = torch.stack([photo.evidence(model) for photo in photos])
        likeliest = int(tried.sum(0).argmax())
        best[model], noises[model] = tried[:, likeliest], NOISES[likeliest]
    gains = {model: best["hull of a hull"] - own for model, own in best.items()}
    error = len(photos) ** -0.5
    return {name: (gain.mean().item(), error * gain.std(correction=0).item()) for name, gain in gains.items()}, noises
