"""A small export on disk that tests may break."""

import csv

import pytest
import torch
from PIL import Image

from vitcourse.data.roboflow import CSV_HEADER, CSV_NAME


@pytest.fixture
def export(tmp_path):
    """A function that writes one split of an export; a row is (name, letter, box in pixels)."""

    def write(rows=None, split="train", size=(40, 32)):
        folder = tmp_path / "export" / split
        folder.mkdir(parents=True)
        rows = [("A1.jpg", "A", (4, 6, 20, 30)), ("Z1.jpg", "Z", (0, 0, 40, 32))] if rows is None else rows
        lines = []
        for index, (name, letter, box) in enumerate(rows):
            seeded = torch.Generator().manual_seed(index)
            pixels = torch.randint(0, 255, (size[1], size[0], 3), dtype=torch.uint8, generator=seeded)
            Image.fromarray(pixels.numpy()).save(folder / name)
            lines.append([name, *size, letter, *box])
        with (folder / CSV_NAME).open("w", newline="") as stream:
            csv.writer(stream).writerows([CSV_HEADER, *lines])
        return folder.parent

    return write
