"""Rows of real handwritten digits, one of them marked: a task that takes two lookups at once.

At every place of a row two questions are asked: which digit stands to the left, and which digit is marked? The first is
answered by a place, the second by a mark, so no single place in the row answers both.

The digits are the 1,797 images of 8 by 8 pixels that scikit-learn brings: E. Alpaydin and C. Kaynak, "Optical
Recognition of Handwritten Digits" (1998), https://doi.org/10.24432/C50P49. The last 360 are held out.
"""

import torch
from torch import Tensor
from torch.utils.data import Dataset

from vitcourse.errors import InputError

LENGTH = 8  # digits in a row
PIXELS = 64
HELD_OUT = 360  # of 1,797, the last
IGNORED = -100  # the answer where no question is asked, as cross_entropy has it
QUESTIONS = ("left", "marked")


class DigitRows(Dataset):
    """Rows of digits, drawn from the images of a split; every image has mean 0 and variance 1.

    Args:
        split: "train" (the first 1,437 images) or "test" (the last 360).
        rows: how many rows.
        seed: another seed draws other rows.

    Attributes:
        images: (rows, 8, 64) pixels.
        mark: (rows,) the place of the marked digit, 0 to 7.
        labels: (rows, 8) the digits.

    Raises:
        InputError: another split, or no rows.
    """

    def __init__(self, split: str, rows: int, seed: int = 0):
        from sklearn.datasets import load_digits

        if split not in ("train", "test"):
            raise InputError(f"split must be train or test, got {split!r}")
        if rows < 1:
            raise InputError(f"rows must be at least 1, got {rows}")
        digits = load_digits()
        part = slice(None, -HELD_OUT) if split == "train" else slice(-HELD_OUT, None)
        pixels = torch.tensor(digits.data[part], dtype=torch.float32)
        pixels = pixels - pixels.mean(dim=1, keepdim=True)
        pixels = pixels / pixels.std(dim=1, keepdim=True)
        generator = torch.Generator().manual_seed(seed)
        drawn = torch.randint(len(pixels), (rows, LENGTH), generator=generator)
        self.images, self.labels = pixels[drawn], torch.tensor(digits.target[part])[drawn]
        self.mark = torch.randint(LENGTH, (rows,), generator=generator)

    def __len__(self) -> int:
        return len(self.mark)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        return {"images": self.images[index], "mark": self.mark[index], "labels": self.labels[index]}

    def batch(self, device: torch.device | str = "cpu") -> dict[str, Tensor]:
        """All rows as one batch."""
        return {name: getattr(self, name).to(device) for name in ("images", "mark", "labels")}


def answers(labels: Tensor, mark: Tensor) -> Tensor:
    """The right answers to both questions at every place.

    Args:
        labels: (B, 8) the digits.
        mark: (B,) the place of the marked one.

    Returns:
        (B, 8, 2): the digit to the left, -100 at the first place, which has none; and the marked digit.
    """
    left = labels.roll(1, dims=1)
    left[:, 0] = IGNORED
    marked = labels.gather(1, mark[:, None]).expand_as(labels)
    return torch.stack([left, marked], dim=-1)
