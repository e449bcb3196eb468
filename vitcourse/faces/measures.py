"""What a model of faces is judged by: the people whom it knows, those whom it does not, and eigenfaces beside it.

All measures are fractions of 1. The share of a picture is the largest softmax of its logits: how sure the model is.

Shape legend: N pictures of S x S pixels, K people.
"""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vitcourse.data.asl import to_input
from vitcourse.data.faces import Pictures
from vitcourse.errors import InputError

ACCEPTED = 0.95  # of the pictures of people who are known, by the threshold


@torch.no_grad()
def logits_of(model: nn.Module, images: Tensor, batch_size: int = 64) -> Tensor:
    """Logits (N, K), on the CPU, for uint8 images (N, 3, S, S), in evaluation mode."""
    device, training = next(model.parameters()).device, model.training
    model.eval()
    try:
        parts = [model(to_input(part.to(device))).float().cpu() for part in images.split(batch_size)]
    finally:
        model.train(training)
    return torch.cat(parts)


def shares(logits: Tensor) -> Tensor:
    """How sure a model is, (N,): the largest softmax of each row (Hendrycks and Gimpel 2016, arXiv:1610.02136)."""
    return logits.softmax(1).amax(1)


def evaluate(model: nn.Module, pictures: Pictures) -> dict[str, float]:
    """``accuracy`` and ``loss`` (mean cross-entropy) of pictures of known people."""
    measured = judge(logits_of(model, pictures.images), pictures.labels)
    return {name: measured[name] for name in ("accuracy", "loss")}


def judge(logits: Tensor, labels: Tensor, top: int = 1, threshold: float | None = None) -> dict[str, float]:
    """All that pictures say of a model.

    Args:
        logits: (N, K); ``labels``: (N,), of strangers -1.

    Returns:
        ``images`` and ``strangers`` count the pictures of known people and of others. Where there are known people:
        ``accuracy``, ``loss`` and, for ``top=5``, ``top5``, the share whose name is among the five likeliest. With a
        threshold, what `open_set` tells of those who are there.
    """
    known = labels >= 0
    own, wanted = logits[known], labels[known]
    measured = {"images": len(own), "strangers": len(labels) - len(own)}
    if len(own):
        likeliest = own.topk(min(top, own.shape[1])).indices == wanted[:, None]
        measured["accuracy"] = likeliest[:, 0].float().mean().item()
        if top > 1:
            measured[f"top{top}"] = likeliest.any(1).float().mean().item()
        measured["loss"] = F.cross_entropy(own, wanted).item()
    if threshold is not None:
        found = open_set(threshold, shares(own), own.argmax(1) == wanted, shares(logits[~known]))
        measured |= {name: share for name, share in found.items() if not math.isnan(share)}
    return measured


def threshold_for(known: Tensor, accepted: float = ACCEPTED) -> float:
    """The share below which a face is called unknown: that many of the known people's pictures lie at it or above.

    Args:
        known: shares (N,) of validation pictures of known people.

    Raises:
        InputError: there are none.
    """
    if not len(known):
        raise InputError("a threshold needs validation pictures, and there are none")
    refused = int((1 - accepted) * len(known) + 1e-6)
    return known.sort().values[refused].item()


def open_set(threshold: float, known: Tensor, right: Tensor, strangers: Tensor) -> dict[str, float]:
    """What a threshold does to pictures that did not choose it.

    Args:
        known: shares (N,) of pictures of known people; ``right``: (N,) bool, whether the likeliest name is theirs.
        strangers: shares (M,) of pictures of people never trained on.

    Returns:
        ``named``: known people accepted under their name; ``misnamed``: under another's; ``refused``: called unknown;
        these three sum to 1. ``rejected``: strangers called unknown. ``auroc``: how often a known person's picture has
        a larger share than a stranger's, whatever the threshold.
    """
    accepted = known >= threshold
    above = (known[:, None] > strangers).float() + 0.5 * (known[:, None] == strangers).float()
    measured = {
        "named": accepted & right,
        "misnamed": accepted & ~right,
        "refused": ~accepted,
        "rejected": strangers < threshold,
        "auroc": above,
    }
    return {name: part.float().mean().item() for name, part in measured.items()}


def eigenfaces(train: Pictures, tests: Sequence[Pictures], components: int = 100) -> list[float]:
    """Accuracy of the nearest neighbour among the pictures projected on the eigenfaces of train.

    Turk and Pentland 1991, "Eigenfaces for Recognition": principal components of the grey pixels, of which there can be
    no more than pictures.
    """
    from sklearn.decomposition import PCA
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline

    def pixels(pictures: Pictures) -> object:
        return pictures.images.float().mean(1).flatten(1).numpy()

    pca = PCA(min(components, len(train)), svd_solver="full")
    nearest = make_pipeline(pca, KNeighborsClassifier(1)).fit(pixels(train), train.labels.numpy())
    return [float(nearest.score(pixels(test), test.labels.numpy())) for test in tests]
