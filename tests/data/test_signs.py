"""Rendered signs: determinism, exact boxes, and a data set that is written whole or not at all."""

import csv
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from PIL import Image

from vitcourse.data import signs, synthesis
from vitcourse.data.hand import FOREARM, LETTERS, PARTS
from vitcourse.data.signs import NOTHING, WRIST, render, render_with_truth
from vitcourse.data.synthesis import synthesise
from vitcourse.errors import InputError

ALL = torch.arange(26)
FIRST_OF_ARM = (26, 28)  # the cones of the arm that begin at the wrist
ROW = re.compile(r"([A-Z]\d+)_jpg\.rf\.[0-9a-f]{32}\.jpg")


@pytest.fixture(scope="module")
def alphabet():
    return render(ALL, seed=11, size=48)


@pytest.fixture
def captured(monkeypatch):
    """The arguments and the result of every call of the raster."""
    calls = []
    original = signs.rasterise

    def spy(*arguments):
        calls.append((arguments, original(*arguments)))
        return calls[-1][1]

    monkeypatch.setattr(signs, "rasterise", spy)
    monkeypatch.setattr(signs, "CHUNK", {"cpu": 1000})
    return calls


def test_shapes_and_types(alphabet):
    images, boxes = alphabet
    assert images.shape == (26, 3, 48, 48)
    assert images.dtype == torch.uint8
    assert boxes.shape == (26, 4)
    assert boxes.dtype == torch.float32
    assert images.flatten(1).float().std(1).min() > 5, "every picture shows something"


def test_same_seed_gives_the_same_bytes_and_another_does_not(alphabet):
    images, boxes = render(ALL, seed=11, size=48)
    assert torch.equal(images, alphabet[0])
    assert torch.equal(boxes, alphabet[1])
    other = render(ALL, seed=12, size=48)
    shifted = render(ALL, seed=11, size=48, first=26)
    for different in (other, shifted):
        assert (different[0] != alphabet[0]).flatten(1).any(1).all()
        assert (different[1] != alphabet[1]).any(1).all()


@pytest.mark.parametrize("sizes", [[1, 2, 3, 20], [13, 13]])
def test_a_picture_does_not_depend_on_those_made_with_it(alphabet, sizes):
    first = 0
    for part in ALL.split(sizes):
        images, boxes = render(part, seed=11, size=48, first=first)
        assert torch.equal(images, alphabet[0][first : first + len(part)])
        assert torch.equal(boxes, alphabet[1][first : first + len(part)])
        first += len(part)


def test_chunks_and_threads_change_nothing(alphabet, monkeypatch):
    before = torch.get_num_threads()
    try:
        for threads, chunk in ((1, 5), (2, 26), (3, 4)):
            torch.set_num_threads(threads)
            monkeypatch.setattr(signs, "CHUNK", {"cpu": chunk})
            images, boxes = render(ALL, seed=11, size=48)
            assert torch.get_num_threads() == threads
            with ThreadPoolExecutor(1) as pool:  # what threads that start later will use
                assert pool.submit(torch.get_num_threads).result() == threads
            assert torch.equal(images, alphabet[0])
            assert torch.equal(boxes, alphabet[1])
    finally:
        torch.set_num_threads(before)


def test_plain_pictures_leave_nothing_to_chance():
    images, boxes = render(ALL[:6], seed=0, size=40, plain=True)
    again, boxes_again = render(ALL[:6], seed=99, size=40, first=7, plain=True)
    assert torch.equal(images, again)
    assert torch.equal(boxes, boxes_again)
    corners = images[:, :, :4, :4].float()
    assert corners.std((2, 3)).max() < 2, "the wall is empty"


def test_boxes_are_the_extents_of_the_visible_hand(captured):
    _, boxes = render(ALL, seed=4, size=48)
    (*_, pixels), surface = captured[0]
    arm = torch.tensor(PARTS)[surface.cone] == FOREARM
    wrist = arm & torch.isin(surface.cone, torch.tensor(FIRST_OF_ARM)) & (surface.along <= WRIST)
    hand = surface.inside & (~arm | wrist)
    row, pixel = hand.nonzero(as_tuple=True)
    number = surface.tiles.number[row]
    side = pixels // 8  # tiles of 8 by 8 pixels
    x, y = number % side * 8 + pixel % 8, number // side % side * 8 + pixel // 8
    for k, box in enumerate(boxes):
        own = number // side**2 == k
        extent = torch.stack([x[own].min(), y[own].min(), x[own].max() + 1, y[own].max() + 1]) / pixels
        torch.testing.assert_close(box, extent, rtol=0, atol=1e-6)


def test_boxes_fit_the_balls_that_the_hand_is_made_of(captured):
    _, boxes = render(ALL[[2, 9, 16]], seed=9, size=32)  # C, J and Q: the arm crosses the box
    (start, end, radii, _, frame, pixels), _ = captured[0]
    place = (torch.arange(pixels) + 0.5) / pixels
    arm = torch.tensor(PARTS) == FOREARM
    for k, box in enumerate(boxes):
        x = (frame.left[k] + place * frame.width[k]).expand(pixels, pixels)
        y = (frame.top[k] - place * frame.height[k])[:, None].expand(pixels, pixels)
        nearest, is_arm = torch.full((pixels, pixels), -torch.inf), torch.zeros(pixels, pixels, dtype=torch.bool)
        for cone in range(len(PARTS)):
            for t in torch.linspace(0, 1, 51):
                centre = start[k, cone] + t * (end[k, cone] - start[k, cone])
                square = (radii[k, cone, 0] + t * (radii[k, cone, 1] - radii[k, cone, 0])) ** 2
                square = square - (x - centre[0]) ** 2 - (y - centre[1]) ** 2
                depth = torch.where(square > 0, centre[2] + square.clamp(min=0).sqrt(), -torch.inf)
                beyond_wrist = arm[cone] & ((cone not in FIRST_OF_ARM) | (t > WRIST + 1e-6))
                is_arm = torch.where(depth > nearest, beyond_wrist, is_arm)
                nearest = torch.maximum(nearest, depth)
        rows, columns = ((nearest > -torch.inf) & ~is_arm).nonzero(as_tuple=True)
        expected = torch.stack([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]) / pixels
        torch.testing.assert_close(box, expected, rtol=0, atol=1.01 / pixels)


def test_hands_are_well_in_the_frame(captured):
    _, boxes = render(ALL.repeat(10), seed=21, size=32)
    assert boxes.min() >= 0
    assert boxes.max() <= 1
    wide, high = (boxes[:, 2:] - boxes[:, :2]).unbind(1)
    assert torch.maximum(wide, high).min() > 0.2
    assert torch.minimum(wide, high).min() > 0.04
    touching = ((boxes[:, :2] == 0) | (boxes[:, 2:] == 1)).any(1).double().mean()
    assert 0.2 < touching < 0.5  # in close-ups the edge often cuts the wrist
    # Of the hand's own extent no more than 6% of the frame may be lost at an edge.
    (start, end, radii, _, frame, _), _ = captured[0]
    own = torch.tensor(PARTS) != FOREARM
    x = torch.cat([start[:, own, 0] - radii[:, own, 0], end[:, own, 0] - radii[:, own, 1]], 1).amin(1)
    assert ((x - frame.left) / frame.width).min() > -0.0601


def test_half_of_the_hands_are_left_hands(captured):
    render(torch.full((200,), LETTERS.index("B")), seed=2, size=32)
    (start, end, *_), _ = captured[0]
    wrist = start[:, PARTS.index(FOREARM)]
    index, little, thumb = start[:, 3] - wrist, start[:, 12] - wrist, end[:, 2] - wrist  # B's thumb is over the palm
    right = (torch.linalg.cross(index, little) * thumb).sum(-1) > 0
    assert 0.4 < right.double().mean() < 0.6


@pytest.mark.parametrize(
    ("letters", "options", "named"),
    [
        (torch.tensor([0, 26]), {}, "26"),
        (torch.tensor([-1]), {}, "-1"),
        (torch.tensor([1.0]), {}, "float32"),
        (torch.zeros(2, 2, dtype=torch.int64), {}, "(2, 2)"),
        (ALL, {"size": 31}, "31"),
        (ALL, {"seed": -3}, "-3"),
        (ALL, {"first": -2}, "-2"),
    ],
)
def test_render_names_bad_input(letters, options, named):
    with pytest.raises(InputError, match=re.escape(named)):
        render(letters, **({"seed": 0} | options))


def test_no_letters_give_no_pictures():
    images, boxes = render(ALL[:0], seed=0, size=32)
    assert images.shape == (0, 3, 32, 32)
    assert boxes.shape == (0, 4)


def read(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


COUNTS = {"train": 60, "valid": 26, "test": 7}


@pytest.fixture(scope="module")
def export(tmp_path_factory):
    out = tmp_path_factory.mktemp("signs") / "set"
    heard = []
    synthesise(out, **COUNTS, size=40, seed=3, progress=lambda done, total: heard.append((done, total)))
    return out, heard


def rows(folder: Path, split: str) -> list[dict[str, str]]:
    with (folder / split / "_annotations.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_layout_is_that_of_an_export(export):
    out, heard = export
    assert sorted(path.name for path in out.iterdir()) == ["README.dataset.txt", "test", "train", "valid"]
    assert heard == [(done, 93) for done in range(1, 94)]
    for split, count in COUNTS.items():
        header, *lines = (out / split / "_annotations.csv").read_text().splitlines()
        assert header == "filename,width,height,class,xmin,ymin,xmax,ymax"
        assert len(lines) == count
        table = rows(out, split)
        files = {row["filename"] for row in table}
        assert files == {path.name for path in (out / split).glob("*.jpg")}
        for row in table:
            with Image.open(out / split / row["filename"]) as image:
                assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (40, 40))
            assert (row["width"], row["height"]) == ("40", "40")
            low, high = (int(row["xmin"]), int(row["ymin"])), (int(row["xmax"]), int(row["ymax"]))
            assert all(0 <= a < b <= 40 for a, b in zip(low, high, strict=True))


def test_letters_are_balanced_and_shuffled(export):
    out, _ = export
    for split, count in COUNTS.items():
        letters = [row["class"] for row in rows(out, split)]
        times = [letters.count(letter) for letter in LETTERS]
        assert sum(times) == count
        assert max(times) - min(times) <= 1
        assert letters != sorted(letters)


def test_no_picture_and_no_source_name_is_in_two_splits(export):
    out, _ = export
    sources = [ROW.fullmatch(row["filename"]).group(1) for split in COUNTS for row in rows(out, split)]
    assert len(set(sources)) == len(sources) == 93
    pictures = [data for name, data in read(out).items() if name.endswith(".jpg")]
    assert len(set(pictures)) == 93
    for split in COUNTS:
        for row in rows(out, split):
            assert row["filename"].startswith(row["class"])


def test_written_pictures_are_the_rendered_ones(export):
    out, _ = export
    table = rows(out, "valid")
    letters = torch.tensor([LETTERS.index(row["class"]) for row in table])
    _, boxes = render(letters, seed=3, size=40, first=synthesis.SPLIT_STRIDE)
    written = torch.tensor([[int(row[edge]) for edge in ("xmin", "ymin", "xmax", "ymax")] for row in table])
    assert torch.equal(written[:, :2], (boxes[:, :2] * 40).floor().long())
    assert torch.equal(written[:, 2:], (boxes[:, 2:] * 40).ceil().long())


def test_same_seed_writes_the_same_files(export, tmp_path):
    again = tmp_path / "again"
    again.mkdir()  # an empty folder is as good as none
    synthesise(again, **COUNTS, size=40, seed=3)
    assert read(again) == read(export[0])
    synthesise(tmp_path / "other", train=3, valid=0, test=0, size=40, seed=4)
    assert not set(read(tmp_path / "other").values()) & {v for k, v in read(again).items() if k.endswith("jpg")}


def test_readme_tells_how_it_was_made(export):
    text = (export[0] / "README.dataset.txt").read_text()
    assert "train=60, valid=26, test=7, size=40, seed=3" in text
    assert re.search(r"vitcourse \d+\.\d+", text)


@pytest.mark.parametrize("failure", [KeyboardInterrupt, OSError("disk full")])
def test_an_interrupted_writing_leaves_nothing(tmp_path, failure):
    def stop(done: int, total: int) -> None:
        if done == 12:
            raise failure

    with pytest.raises(BaseException, match=r"disk full|^$"):
        synthesise(tmp_path / "set", train=10, valid=4, test=0, size=32, progress=stop)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_use_is_left_alone(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("keep")
    (tmp_path / "file").write_text("keep")
    for used in ("mine", "file"):
        with pytest.raises(InputError, match=re.escape(str(tmp_path / used))):
            synthesise(tmp_path / used, train=1, valid=0, test=0, size=32)
    assert read(tmp_path) == {"file": b"keep", "mine/notes.txt": b"keep"}


@pytest.mark.parametrize("wrong", [{"train": -1}, {"valid": -2}, {"test": -3}, {"size": 16}, {"seed": -5}])
def test_synthesise_names_bad_numbers(tmp_path, wrong):
    (value,) = wrong.values()
    with pytest.raises(InputError, match=str(value)):
        synthesise(tmp_path / "set", **({"train": 1, "valid": 0, "test": 0} | wrong))
    assert list(tmp_path.iterdir()) == []


def test_joints_lie_on_the_hand():
    """The joints of a hand that is seen whole lie in its box, and most lie on pixels of skin, not of the wall."""
    images, boxes, joints, _ = render_with_truth(ALL, seed=0, size=64, plain=True)
    assert joints.shape == (26, 21, 2)
    assert torch.equal(images, render(ALL, seed=0, size=64, plain=True)[0])
    low, high = boxes[:, None, :2], boxes[:, None, 2:]
    assert ((joints > low - 0.02) & (joints < high + 0.02)).all()
    wall = images[:, :, 0, 0]
    column, row = (joints * 64).long().clamp(0, 63).unbind(-1)
    seen = images[torch.arange(26)[:, None], :, row, column].float()
    assert ((seen - wall[:, None].float()).abs().amax(-1) > 20).float().mean() > 0.95


def test_the_map_of_parts_shows_the_hand_that_the_box_holds():
    images, boxes, joints, parts = render_with_truth(ALL, seed=3, size=64)
    for mine, theirs in zip((images, boxes), render(ALL, seed=3, size=64), strict=True):
        assert torch.equal(mine, theirs)
    assert parts.shape == (26, 32, 32)
    assert parts.dtype == torch.uint8
    assert set(parts.unique().tolist()) <= {NOTHING, *[part + 1 for part in PARTS]}
    hand = (parts != NOTHING) & (parts != FOREARM + 1)
    rows, columns = hand.any(2), hand.any(1)
    place = torch.arange(32)
    low = torch.stack([torch.where(line, place, 99).amin(1) for line in (columns, rows)], 1) / 32
    high = torch.stack([torch.where(line, place, -1).amax(1) + 1 for line in (columns, rows)], 1) / 32
    # The box also holds some of the wrist, which is a part of the arm: it is longer there, and nowhere shorter.
    assert (boxes[:, :2] <= low + 1.01 / 32).all()
    assert (boxes[:, 2:] >= high - 1.01 / 32).all()
    equal = (torch.cat([low, high], 1) - boxes).abs() <= 1.01 / 32
    assert equal.sum(1).min() >= 2
    assert 0.7 < equal.double().mean() < 0.95
    # The tip of a straight index finger that faces the viewer lies on its last bone.
    straight = [LETTERS.index(letter) for letter in "BDLUV"]
    _, _, joints, parts = render_with_truth(ALL[straight], seed=0, size=64, plain=True)
    column, row = (joints[:, 8] * 32).long().clamp(0, 31).unbind(-1)
    assert (parts[torch.arange(5), row, column] == 3 * 1 + 2 + 1).all()
