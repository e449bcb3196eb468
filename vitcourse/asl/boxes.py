"""Box heads that read the map of an image, and not one vector of it.

A mean over all tokens says little of where things are. `Sides` asks of every place of the map whether a side of the box
lies there; the other heads ask the same map in other ways, and stand here to be compared with it.

Shape legend: B images, D channels of the last map (h, w), E of the finer one (H, W), C of the two joined.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vitcourse.positions import sinusoidal_grid

WIDTH = 128  # C


class JoinedMap(nn.Module):
    """The last map, normed and enlarged to the finer one, and both joined, as in feature pyramids.

    ``forward(coarse, fine)`` takes (B, D, h, w) and (B, E, H, W), or None where the backbone has no finer map (then
    H = 2 h), and returns (B, C, H, W). Lin et al. 2016, https://arxiv.org/abs/1612.03144, section 3 and figure 3.
    """

    def __init__(self, coarse: int, fine: int, width: int = WIDTH):
        super().__init__()
        self.norm = nn.LayerNorm(coarse)
        self.coarse = nn.Conv2d(coarse, width, kernel_size=1)
        self.fine = nn.Conv2d(fine, width, kernel_size=1) if fine else None
        self.mix = nn.Sequential(nn.GELU(), nn.Conv2d(width, width, kernel_size=3, padding=1), nn.GELU())

    def forward(self, coarse: Tensor, fine: Tensor | None = None) -> Tensor:
        joined = self.coarse(self.norm(coarse.movedim(1, 3)).movedim(3, 1))
        size = [2 * side for side in joined.shape[2:]] if fine is None else fine.shape[2:]
        joined = F.interpolate(joined, size=size, mode="bilinear")
        return self.mix(joined if fine is None else joined + self.fine(fine))


class MapHead(nn.Module):
    """A box head on a map: ``forward(coarse, fine)`` as for `JoinedMap`, to boxes (B, 4), xyxy in fractions.

    Args:
        coarse, fine: D and E; E is 0 for a backbone without a finer map.
        side: H = W, in places.
    """

    def __init__(self, coarse: int, fine: int, side: int):
        super().__init__()
        self.side, self.map = side, JoinedMap(coarse, fine)


class Sides(MapHead):
    """Each side of the box is the place where a spatial softmax puts it, plus an offset.

    For each of the sides left, top, right and bottom the map gives a score s and an offset o at every place i. With
    p = softmax(s) over all places, c_i the middle of a place along the side's axis, and H places along it, the side
    lies at

        sum_i p_i (c_i + o_i / H)

    The expected place of a softmax over a map: Finn et al. 2015, https://arxiv.org/abs/1509.06113, section 5 (spatial
    softmax). That a box is four extreme points, each found by a map of its own: Zhou et al. 2019,
    https://arxiv.org/abs/1901.08043 (ExtremeNet), section 4, with offsets as in its equation 2.
    """

    def __init__(self, coarse: int, fine: int, side: int):
        super().__init__(coarse, fine, side)
        self.answer = nn.Conv2d(WIDTH, 8, kernel_size=1)
        nn.init.zeros_(self.answer.weight[4:])  # no offset to begin with
        nn.init.zeros_(self.answer.bias)

    def places(self, coarse: Tensor, fine: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """How much each place counts for each side, (B, 4, H, W), sums 1; and the offsets, in places."""
        answers = self.answer(self.map(coarse, fine)).float()
        scores, offsets = answers.chunk(2, dim=1)
        return scores.flatten(2).softmax(dim=2).view_as(scores), offsets

    def forward(self, coarse: Tensor, fine: Tensor | None = None) -> Tensor:
        shares, offsets = self.places(coarse, fine)
        high, wide = shares.shape[2:]
        across, down = (_middles(n, shares) for n in (wide, high))
        left, top, right, bottom = (shares * offsets).sum(dim=(2, 3)).unbind(dim=1)
        across, down = shares.sum(dim=2) @ across, shares.sum(dim=3) @ down  # of all four; two of each are used
        sides = [across[:, 0] + left / wide, down[:, 1] + top / high]
        return torch.stack([*sides, across[:, 2] + right / wide, down[:, 3] + bottom / high], dim=1)


class Query(MapHead):
    """One learned question to the places of the map, as DETR asks a hundred: attention, then three layers.

    Carion et al. 2020, https://arxiv.org/abs/2005.12872, sections 3.2 and A.4: a query attends to the map, to whose
    keys a fixed position is added, and answers with middle and size through a sigmoid. There is one object and one
    query, so nothing is matched, and queries need not see one another. Two layers in place of six.
    """

    def __init__(self, coarse: int, fine: int, side: int):
        super().__init__(coarse, fine, side)
        self.register_buffer("positions", sinusoidal_grid(side, WIDTH), persistent=False)
        self.question = nn.Parameter(torch.randn(1, 1, WIDTH))
        self.layers = nn.ModuleList(_Ask() for _ in range(2))
        middle = (layer for _ in range(2) for layer in (nn.Linear(WIDTH, WIDTH), nn.ReLU()))
        self.answer = nn.Sequential(*middle, nn.Linear(WIDTH, 4))

    def forward(self, coarse: Tensor, fine: Tensor | None = None) -> Tensor:
        places = self.map(coarse, fine).flatten(2).transpose(1, 2)
        found = self.question.expand(len(places), -1, -1)
        for layer in self.layers:
            found = layer(found, places + self.positions, places)
        middle, size = self.answer(found[:, 0]).float().sigmoid().chunk(2, dim=1)
        return torch.cat([middle - size / 2, middle + size / 2], dim=1)


class _Ask(nn.Module):
    """A decoder layer without self-attention: norms behind the sums, as in DETR."""

    def __init__(self):
        super().__init__()
        self.attend, self.norm1 = nn.MultiheadAttention(WIDTH, 4, batch_first=True), nn.LayerNorm(WIDTH)
        self.mlp = nn.Sequential(nn.Linear(WIDTH, 4 * WIDTH), nn.ReLU(), nn.Linear(4 * WIDTH, WIDTH))
        self.norm2 = nn.LayerNorm(WIDTH)

    def forward(self, question: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        question = self.norm1(question + self.attend(question, keys, values, need_weights=False)[0])
        return self.norm2(question + self.mlp(question))


class Distances(MapHead):
    """Every place gives a distribution over its distance to each side; a softmax says how much each place counts.

    Li et al. 2020, https://arxiv.org/abs/2006.04388 (generalised focal loss), equation 3: a distance is the mean of a
    distribution over `BINS` + 1 values, here from 0 to the whole image. Their detector trains each place on its own;
    with one hand an image the places' boxes are averaged, and trained together through that.
    """

    BINS = 16

    def __init__(self, coarse: int, fine: int, side: int):
        super().__init__(coarse, fine, side)
        self.answer = nn.Conv2d(WIDTH, 1 + 4 * (self.BINS + 1), kernel_size=1)

    def forward(self, coarse: Tensor, fine: Tensor | None = None) -> Tensor:
        answers = self.answer(self.map(coarse, fine)).float().flatten(2)  # (B, 1 + 4 (BINS + 1), H W)
        counts = answers[:, 0].softmax(dim=1)
        bins = answers[:, 1:].unflatten(1, (4, self.BINS + 1)).softmax(dim=2)
        values = torch.linspace(0, 1, self.BINS + 1, dtype=bins.dtype, device=bins.device)
        distances = torch.einsum("bsnp,n->bps", bins, values)
        middles = _middles(self.side, bins)
        here = torch.cartesian_prod(middles, middles).flip(1)  # (H W, 2), x before y
        boxes = torch.cat([here - distances[..., :2], here + distances[..., 2:]], dim=2)
        return torch.einsum("bp,bps->bs", counts, boxes)


class Flattened(MapHead):
    """All places at once: eight numbers each, one after the other in a vector, and the seed's two layers on it."""

    def __init__(self, coarse: int, fine: int, side: int):
        super().__init__(coarse, fine, side)
        self.few = nn.Conv2d(WIDTH, 8, kernel_size=1)
        self.answer = two_layers(8 * side**2, 4)

    def forward(self, coarse: Tensor, fine: Tensor | None = None) -> Tensor:
        return self.answer(self.few(self.map(coarse, fine)).flatten(1)).float().sigmoid()


def two_layers(dim: int, outputs: int) -> nn.Sequential:
    """The head of the project that the course follows: 512, ReLU, dropout 0.2."""
    return nn.Sequential(nn.Linear(dim, 512), nn.ReLU(), nn.Dropout(0.2), nn.Linear(512, outputs))


def _middles(count: int, like: Tensor) -> Tensor:
    """The middles of ``count`` places along an axis of length 1."""
    return (torch.arange(count, device=like.device, dtype=like.dtype) + 0.5) / count


MAP_HEADS: dict[str, type[MapHead]] = {"sides": Sides, "query": Query, "distances": Distances, "flattened": Flattened}
BOX_HEADS = ("mean", *MAP_HEADS)
