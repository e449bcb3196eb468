"""Images of one photo, told by name and by what is seen."""

import os
from pathlib import Path

import pytest
import torch
from PIL import Image, ImageEnhance, ImageFilter, ImageOps
from sklearn.datasets import load_sample_image

from vitcourse.data.asl import find_copies, group_by_photo, hold_out, load, source_photo, synthesise
from vitcourse.data.copies import Copy
from vitcourse.errors import DataError, InputError


@pytest.mark.parametrize(
    ("file", "photo"),
    [
        ("a/U7_jpg.rf.0037faea78f8a89329a93006132921b3.jpg", "U7"),
        ("IMG_20_png.rf.0a.jpg", "IMG_20"),
        ("my-hand_JPEG.rf.0a.png", "my-hand"),
        ("U7-jpg.rf.0a.jpg", "U7"),
        ("U7.rf.0a.jpg", "U7"),
        ("U7.jpg", "U7"),
        ("U7_jpg.jpg", "U7_jpg"),
    ],
)
def test_source_photo_is_the_part_before_the_copy(file, photo):
    assert source_photo(file) == photo


FILES = [f"{letter}{photo}_jpg.rf.{copy}{photo}.jpg" for copy in "abc" for letter in "AB" for photo in range(10)]


def test_groups_hold_the_copies_of_a_photo():
    groups = group_by_photo(FILES)
    assert len(groups) == 20
    assert groups["B3"] == [13, 33, 53]
    joined = group_by_photo(FILES, [Copy(FILES[13], FILES[24], 1.0, False), Copy(FILES[44], FILES[5], 1.0, False)])
    assert len(joined) == 18
    assert joined["B3"] == [4, 5, 13, 24, 25, 33, 44, 45, 53]  # B3 with A4, which is A5
    around = [Copy(FILES[a], FILES[b], 1.0, False) for a, b in [(13, 4), (5, 4), (4, 13), (13, 5)]]
    assert sorted(map(len, group_by_photo(FILES, around).values())) == [3] * 17 + [9]


@pytest.mark.parametrize("seed", range(5))
def test_no_photo_is_on_both_sides_of_a_hold_out(seed):
    labels = [ord(file[0]) - ord("A") for file in FILES]
    kept, held = hold_out(FILES, labels, 0.3, seed)
    assert sorted(kept + held) == list(range(60))
    assert not {source_photo(FILES[i]) for i in kept} & {source_photo(FILES[i]) for i in held}
    assert [sum(labels[i] == letter for i in held) for letter in (0, 1)] == [9, 9]
    assert hold_out(FILES, labels, 0.3, seed) == (kept, held)
    assert hold_out(FILES, labels, 0.3, seed + 1) != (kept, held)


def test_copies_stay_together_and_every_letter_is_held_out():
    """Nine photos of A are one burst: too many for a side of three tenths, so they stay, and the tenth is held out."""
    labels = [ord(file[0]) - ord("A") for file in FILES]
    burst = [Copy(FILES[0], FILES[i], 0.9, False) for i in range(1, 9)]
    across = [Copy(FILES[0], FILES[i], 0.9, False) for i in range(10, 20)]  # A and B: two signs, not one photo
    _, held = hold_out(FILES, labels, 0.3, 0, burst + across)
    assert [FILES[i][:2] for i in held if labels[i] == 0] == ["A9"] * 3
    assert sum(labels[i] == 1 for i in held) == 9
    together = hold_out(FILES, labels, 0.5, 0, [Copy(FILES[0], FILES[1], 0.9, False)])[1]
    assert {source_photo(FILES[i]) in {source_photo(FILES[j]) for j in together} for i in (0, 1)} in ({True}, {False})
    assert sum(labels[i] == 0 for i in together) == 15


def test_hold_out_names_bad_arguments():
    with pytest.raises(InputError, match=r"between 0 and 1, got 1\.5"):
        hold_out(FILES, [0] * 60, 1.5)
    with pytest.raises(InputError, match="got 3 and 60"):
        hold_out(FILES, [0] * 3)


def cropped(image: Image.Image) -> Image.Image:
    return image.crop((12, 6, 108, 102)).resize((90, 90))  # 80% of a picture of 120 pixels, and another size


CHANGES = {
    "bytes": lambda image: image,
    "mirrored": ImageOps.mirror,
    "smaller": lambda image: image.resize((61, 61)),
    "brighter": lambda image: ImageEnhance.Brightness(image).enhance(1.25),
    "grey": lambda image: image.convert("L"),
    "blurred": lambda image: image.filter(ImageFilter.GaussianBlur(1.2)),
    "turned": lambda image: image.rotate(5, Image.Resampling.BILINEAR),
    "cropped": cropped,
    "all": lambda image: ImageEnhance.Brightness(ImageOps.mirror(cropped(image.rotate(-4)))).enhance(0.8),
}


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """Rendered signs and pieces of a photo in train, other signs and changed copies of the pieces in valid.

    Gives the files of both, and the true pairs by the name of the change.
    """
    root = tmp_path_factory.mktemp("planted") / "set"
    synthesise(root, train=26, valid=26, test=0, size=96, seed=11)
    train, valid, pairs = load(root, "train").files, load(root, "valid").files, {}
    photo = Image.fromarray(load_sample_image("china.jpg"))
    for number, (name, change) in enumerate(CHANGES.items()):
        left, top = 120 * (number % 5), 120 + 120 * (number // 5)
        piece = photo.crop((left, top, left + 120, top + 120))
        files = root / "train" / f"piece{number}.png", root / "valid" / f"copy{number}.jpg"
        piece.save(files[0])
        change(piece).convert("RGB").save(files[1], "JPEG", quality=70)
        pairs[name] = tuple(map(str, files))
    return [*train, *(a for a, _ in pairs.values())], [*(b for _, b in pairs.values()), *valid], pairs


def test_planted_copies_are_found_and_nothing_else(planted):
    train, valid, pairs = planted
    found = find_copies(train, valid)
    assert {(pair.first, pair.second) for pair in found} == set(pairs.values())
    similarities = [pair.similarity for pair in found]
    assert similarities == sorted(similarities, reverse=True)
    assert similarities[0] > 0.98
    mirrored = {pair.second for pair in found if pair.mirrored}
    assert mirrored == {pairs[name][1] for name in ("mirrored", "all")}


def test_the_search_is_the_same_each_time_and_from_both_sides(planted):
    _, _, pairs = planted
    first, second = (list(files) for files in zip(*pairs.values(), strict=True))
    torch.manual_seed(1)
    there = find_copies(first, second)
    torch.manual_seed(2)
    assert find_copies(first, second) == there
    back = find_copies(second, first)
    assert {(pair.second, pair.first) for pair in back} == {(pair.first, pair.second) for pair in there}


def test_copies_within_one_list(planted):
    train, _, pairs = planted
    wanted = list(pairs.values())[:3]
    files = [file for pair in wanted for file in pair] + train[:3]
    assert {(pair.first, pair.second) for pair in find_copies(files)} == set(wanted)


def test_plain_walls_are_no_copies_and_no_images_no_pairs(tmp_path):
    for number in (90, 200):
        Image.new("RGB", (64, 64), (number,) * 3).save(tmp_path / f"{number}.png")
    walls = sorted(map(str, tmp_path.glob("*.png")))
    assert find_copies(walls) == []
    assert find_copies(walls, []) == []
    (tmp_path / "x.jpg").write_text("no image")
    with pytest.raises(DataError, match=r"x\.jpg"):
        find_copies(walls, [tmp_path / "x.jpg"])


@pytest.mark.skipif("VITCOURSE_DATA" not in os.environ, reason="VITCOURSE_DATA does not point at the real photos")
def test_the_real_copies_are_found():
    """Of the first 60 photos' copies by name nearly all; and the split of the real set is not clean."""
    root = Path(os.environ["VITCOURSE_DATA"]) / "asl-letters"
    train, valid = load(root, "train").files, load(root, "valid").files
    groups = list(group_by_photo(train).values())
    assert (len(train), len(groups), {len(group) for group in groups}) == (1512, 504, {3})
    assert not {source_photo(file) for file in train} & {source_photo(file) for file in valid}
    some = sorted(place for group in groups[:60] for place in group)
    found = {(pair.first, pair.second) for pair in find_copies([train[i] for i in some])}
    by_name = {(train[a], train[b]) for g in groups[:60] for a in g for b in g if a < b}
    assert len(found & by_name) >= 0.98 * len(by_name)
    twins = find_copies(train, valid)
    assert 25 <= len({pair.second for pair in twins}) <= 35
    assert twins[0].similarity < 0.97  # frames of a burst, and not one photo twice
