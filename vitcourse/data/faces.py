"""Faces of people: identity folders as data sets, and rendered ones made on the spot.

`load` reads a folder that holds one folder of pictures for each person; `synthesise` writes one with rendered faces,
`fetch_orl` one with real ones from the internet.
The pictures show a face and little else, as a detector crops them (``vitcourse crop faces``).
"""

import tempfile
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.utils.data import Dataset

from vitcourse.data.asl import resize
from vitcourse.data.copies import Copy
from vitcourse.data.images import decode
from vitcourse.data.people import PARTS, divide, read
from vitcourse.errors import InputError, one_line
from vitcourse.files import whole_folder
from vitcourse.heads import render

__all__ = ["PARTS", "FaceDataset", "Pictures", "everybody", "fetch_orl", "in_memory", "load", "render", "synthesise"]

README = """Rendered faces: {people} people who do not exist, {images} pictures of {size} x {size} pixels each.

Made by data.faces.synthesise(people={people}, images={images}, size={size}, seed={seed}); no photo went in.
"""
ORL = """The ORL faces of AT&T Laboratories Cambridge, 64 x 64 pixels, by scikit-learn's fetch_olivetti_faces.

Cite: Samaria and Harter 1994, https://doi.org/10.1109/ACV.1994.341300. They show real people: not to be passed on.
"""


class FaceDataset(Dataset):
    """Pictures of known people on disk, decoded when asked for.

    An item is a dict: ``image`` (uint8, (3, height, width), upright, in the file's own size; grey ones have three equal
    channels), ``label`` (int, the place of the person in ``names``) and ``file`` (str).
    """

    def __init__(self, names: Sequence[str], files: Sequence[Path], labels: Sequence[int]):
        self.names = list(names)
        self.files = [str(file) for file in files]
        self.labels = torch.tensor(labels, dtype=torch.int64)

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> dict:
        return {"image": decode(self.files[index]), "label": int(self.labels[index]), "file": self.files[index]}


class Pictures(Dataset):
    """A data set of faces resized to one size and held as one uint8 tensor, so that an epoch decodes nothing.

    Items are dicts ``image`` (uint8, (3, size, size), stretched to the square) and ``label``; ``names`` are those of
    the data set.
    """

    def __init__(self, dataset: FaceDataset, size: int, progress: Callable[[], None] = lambda: None):
        self.names, self.labels = dataset.names, dataset.labels
        self.images = torch.empty(len(dataset), 3, size, size, dtype=torch.uint8)
        for i in range(len(dataset)):
            self.images[i] = resize(dataset[i]["image"], size)
            progress()

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> dict:
        return {"image": self.images[index], "label": self.labels[index]}


def in_memory(
    sets: Mapping[str, FaceDataset], size: int, progress: Callable[[int, int], None] | None = None
) -> dict[str, Pictures]:
    """The parts that `load` gives, decoded; ``progress`` is called with (pictures done, pictures in all)."""
    total, done = sum(map(len, sets.values())), count(1)
    step = (lambda: None) if progress is None else (lambda: progress(next(done), total))
    return {name: Pictures(dataset, size, step) for name, dataset in sets.items()}


def load(
    root: str | Path,
    *,
    valid: float = 0.2,
    test: float = 0.2,
    least: int = 1,
    seed: int = 0,
    few: str = "refuse",
    copies: Iterable[Copy] | None = None,
    strangers: int = 0,
) -> dict[str, FaceDataset]:
    """Reads identity folders and shares each person's pictures out among "train", "valid" and "test".

    Everything but the pixels is checked before this returns. A person's pictures are shared out by the seed and the
    person's name alone: other people in the folder change nothing. Pictures of one moment stay together: of two frames
    that show the same, one in train would give the other away.

    Args:
        root: one folder a person; see `data.people.read`.
        valid, test: shares of each person's pictures, with at least ``least`` in each; 0 leaves a part empty.
        least: pictures of each person in each part.
        few: people who have not enough: "refuse" them, naming each, or "skip" them with a `DataNote`.
        copies: pairs of pictures of one moment; they are searched for where it is None (see `data.copies.find_copies`).
        strangers: so many people, drawn by the seed, are kept out of the three, with all their pictures: a fourth data
            set "strangers" holds them, with the label -1, to see what a model says of somebody whom it never saw.

    Returns:
        The three data sets by name, all with the same ``names``, in the order of which labels count; and the fourth.

    Raises:
        DataError: naming the folder or file at fault, or the people with too few pictures.
        InputError: an argument is out of its range.
    """
    divided = divide(Path(root), read(root), valid, test, least, seed, few, copies)
    if not 0 <= strangers <= len(divided) - 2:
        raise InputError(f"strangers must leave two people of {len(divided)}, got {strangers}")
    drawn = np.random.default_rng(seed).permutation(len(divided))[:strangers].tolist()
    unknown = [divided.pop(name) for name in [list(divided)[place] for place in drawn]]
    sets = {}
    for part in PARTS:
        rows = [(file, label) for label, parts in enumerate(divided.values()) for file in parts[part]]
        sets[part] = FaceDataset(list(divided), [file for file, _ in rows], [label for _, label in rows])
    if strangers:
        files = [file for parts in unknown for part in PARTS for file in parts[part]]
        sets["strangers"] = FaceDataset(list(divided), files, [-1] * len(files))
    return sets


def everybody(root: str | Path, names: Sequence[str]) -> FaceDataset:
    """All pictures of an identity folder, for a model that knows ``names``; whoever else is in it has the label -1.

    Raises:
        DataError: naming the folder or file at fault.
    """
    rows = [(file, names.index(name) if name in names else -1) for name, own in read(root).items() for file in own]
    return FaceDataset(names, [file for file, _ in rows], [label for _, label in rows])


def synthesise(
    out: str | Path,
    people: int = 40,
    images: int = 10,
    size: int = 64,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Writes identity folders with rendered faces: ``person01/01.png`` and so on, and a README.

    The folder appears when it is complete; nothing is left behind where the writing fails or is interrupted.

    Args:
        out: a folder that is empty or does not exist yet.
        people, images: how many people, two or more, and how many pictures of each.
        size: pixels along a side.
        seed: 0 or more; the same one gives the same files, another one other people.
        progress: called with (pictures done, pictures in all).

    Raises:
        InputError: ``out`` is in use, or a number is out of range.
    """
    if people < 2 or images < 1:
        raise InputError(f"two people or more with a picture each are needed, got {people} people, {images} pictures")
    rendered = (render(torch.full((images,), who), seed, size, first=who * images) for who in range(people))
    pictures = (of_one.permute(0, 2, 3, 1).numpy() for of_one in rendered)
    facts = README.format(people=people, images=images, size=size, seed=seed)
    _write(Path(out), pictures, people, images, facts, progress)


def fetch_orl(out: str | Path) -> None:
    """Downloads the ORL faces, 40 people with 10 grey pictures each, and writes them as identity folders.

    scikit-learn fetches them, and checks that they are whole; nothing is left of it but the folder.

    Raises:
        InputError: ``out`` is in use, or there is no connection.
    """
    _write(Path(out), _downloaded_orl(), 40, 10, ORL)


def _downloaded_orl() -> Iterator[np.ndarray]:
    """The pictures of each person, uint8 (10, 64, 64)."""
    from sklearn.datasets import fetch_olivetti_faces

    with tempfile.TemporaryDirectory() as home, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that it tries again
        try:
            found = fetch_olivetti_faces(data_home=home, n_retries=1)
        except OSError as error:
            problem = "the ORL faces could not be downloaded; is there a connection?"
            raise InputError(f"{problem} ({one_line(error)})") from error
    for person in np.unique(found.target):
        yield (255 * found.images[found.target == person]).round().astype(np.uint8)


def _write(
    out: Path,
    people: Iterable[np.ndarray],
    count: int,
    most: int,
    facts: str,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Identity folders of uint8 pictures, (N, S, S) or (N, S, S, 3) for each of ``count`` people, ``most`` each."""
    digits = [len(str(number)) for number in (count, most)]
    with whole_folder(out) as partial:
        for person, pictures in enumerate(people, start=1):
            folder = partial / f"person{person:0{digits[0]}}"
            folder.mkdir()
            for number, picture in enumerate(pictures, start=1):
                Image.fromarray(picture).save(folder / f"{number:0{digits[1]}}.png")
            if progress is not None:
                progress(person * most, count * most)
        (partial / "README.txt").write_text(facts, encoding="utf-8")
