"""American Sign Language letters: exports read from a folder, and rendered ones made on the spot.

The real set is "American Sign Language Letters" by David Lee (Roboflow, public domain): photos of hands, one letter and
one box each. `load` reads an export of it, or of any set of letters, in each of Roboflow's forms (see
`vitcourse.data.exports.roboflow`); `synthesise` writes one with rendered hands.
"""

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.data import Dataset
from torchvision import tv_tensors
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as TF

from vitcourse.data.copies import Copy, find_copies, group_by_photo, hold_out, source_photo
from vitcourse.data.exports.roboflow import DataNote, Record, read_split
from vitcourse.data.hulls import judge, shrink, tighten
from vitcourse.data.images import decode
from vitcourse.data.letters import LETTERS
from vitcourse.data.synthesis import synthesise
from vitcourse.hands import render

__all__ = [
    "LETTERS",
    "AslDataset",
    "Copy",
    "DataNote",
    "InMemory",
    "augmentation",
    "decode",
    "find_copies",
    "group_by_photo",
    "hold_out",
    "judge",
    "load",
    "render",
    "shrink",
    "source_photo",
    "synthesise",
    "tighten",
    "to_input",
]


class AslDataset(Dataset):
    """Labelled signs on disk, decoded when asked for.

    An item is a dict: ``image`` (uint8, (3, height, width), upright, in the file's own size), ``label`` (int, 0 to 25),
    ``box`` (float32, (4,), xyxy in fractions of the image) and ``file`` (str). All of them are kept as ``labels``,
    ``boxes`` and ``files``; ``sizes`` (N, 2) are the widths and heights of the images in pixels.
    """

    def __init__(self, records: list[Record]):
        self.records = records
        self.labels = torch.tensor([record.label for record in records])
        self.boxes = torch.tensor([record.box for record in records], dtype=torch.float32)
        self.sizes = torch.tensor([(record.width, record.height) for record in records], dtype=torch.float32)

    @property
    def files(self) -> list[str]:
        """The image files, in the order of the items."""
        return [str(record.file) for record in self.records]

    def __len__(self) -> int:
        return len(self.records)

    def __getitem__(self, index: int) -> dict:
        record = self.records[index]
        image = decode(record.file)
        return {"image": image, "label": record.label, "box": self.boxes[index], "file": str(record.file)}


def load(root: str | Path, split: str, background: str = "refuse") -> AslDataset:
    """Reads one split ("train", "valid", "test") of a Roboflow export in the CSV, COCO, YOLO or Pascal VOC form.

    The form is told by the files. The result is the same whichever it is, in the same order, but for the boxes: those
    of CSV and VOC are rounded to whole pixels, those of COCO and YOLO are not, so that they agree to half a pixel.
    Everything but the pixels is checked before this returns. Photos without a box are refused, or left out with
    ``background="skip"``; what was left out or changed is said in a `DataNote` (a warning).

    Raises:
        DataError: naming the file and the row, or the id of the image or annotation.
        InputError: ``background`` is neither "refuse" nor "skip".
    """
    return AslDataset(read_split(root, split, background))


class InMemory(Dataset):
    """A data set resized to one size and held as one uint8 tensor, so that an epoch decodes nothing.

    Args:
        dataset: items as `AslDataset` gives them.
        size: height and width of the images, in pixels; they are stretched, as the real set's own export was.
        transform: called as ``transform(image, box)`` on every item asked for (see `augmentation`).
        progress: called as ``progress(done, total)`` while the images are decoded.
    """

    def __init__(
        self,
        dataset: AslDataset,
        size: int,
        transform: Callable | None = None,
        progress: Callable[[int, int], None] | None = None,
    ):
        self.images = torch.empty(len(dataset), 3, size, size, dtype=torch.uint8)
        for i in range(len(dataset)):
            self.images[i] = resize(dataset[i]["image"], size)
            if progress is not None:
                progress(i + 1, len(dataset))
        self.labels, self.boxes = dataset.labels, dataset.boxes
        self.files = dataset.files
        self.transform = transform

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> dict:
        image, box = self.images[index], self.boxes[index]
        if self.transform is not None:
            image, box = self.transform(image, box)
        return {"image": image, "label": self.labels[index], "box": box, "file": self.files[index]}


def resize(image: Tensor, size: int) -> Tensor:
    """uint8 (3, h, w) to uint8 (3, size, size), antialiased; the same tensor where nothing changes."""
    return image if image.shape[-2:] == (size, size) else TF.resize(image, [size, size], antialias=True)


def to_input(images: Tensor) -> Tensor:
    """uint8 images (B, 3, h, w) to the float input of the models: mean and deviation 0.5, so -1 to 1.

    This is the normalisation that google/vit-base-patch16-224-in21k was trained with.
    """
    return images.float() / 127.5 - 1


def augmentation(flip: float = 0.5, shift: float = 0.1, scale: float = 0.2, colour: float = 0.3) -> Callable:
    """A transform of (image, target) that mirrors, moves, scales and recolours, the target with the image.

    The target is a box (4,) or points (J, 2), in fractions of the image.

    No rotation: the upright box around a turned box is larger than the hand in it.

    Args:
        flip: probability of mirroring (signers use either hand).
        shift: largest move, as a share of the image.
        scale: largest change of size, as a share.
        colour: strength of the change of brightness, contrast and saturation.
    """
    pipeline = v2.Compose(
        [
            v2.RandomHorizontalFlip(flip),
            v2.RandomAffine(0, translate=(shift, shift), scale=(1 - scale, 1 + scale)),
            v2.ColorJitter(colour, colour, colour),
            v2.RandomGrayscale(0.1),
        ]
    )

    def transform(image: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        canvas = tuple(image.shape[-2:])
        size = torch.tensor(canvas).flip(0)  # width, height
        pixels = target.view(-1, 2) * size
        if target.ndim == 1:
            moving = tv_tensors.BoundingBoxes(pixels.view(1, 4), format="XYXY", canvas_size=canvas)
        else:
            # torchvision counts a point from the centre of the first pixel, and a box from its edge.
            moving = tv_tensors.KeyPoints(pixels - 0.5, canvas_size=canvas)
        image, moving = pipeline(tv_tensors.Image(image), moving)
        moved = (moving.as_subclass(Tensor).view(-1, 2) + 0.5 * (target.ndim > 1)) / size
        return image.as_subclass(Tensor), moved.view_as(target)

    return transform
