"""Identity folders: what is read and refused, and how each person's pictures are shared out."""

import shutil
import string
import tempfile
import unicodedata
import warnings
from itertools import chain
from pathlib import Path
from types import SimpleNamespace
from urllib.error import URLError

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image

from vitcourse.data.copies import Copy
from vitcourse.data.exports.roboflow import DataNote
from vitcourse.data.faces import PARTS, fetch_orl, load, synthesise
from vitcourse.data.images import decode
from vitcourse.errors import DataError, InputError


def picture(file, number=0, size=(24, 32), mode="RGB", **options):
    """A picture of noise, another one for each number."""
    file.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng([number, *size]).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(noise).convert(mode).save(file, **options)
    return file


def people(root, counts):
    """A folder for each person with so many pictures."""
    number = 0
    for name, count in counts.items():
        (root / name).mkdir(parents=True)
        for index in range(count):
            picture(root / name / f"{index}.png", number := number + 1)
    return root


def files_of(sets):
    return {
        part: [Path(file).relative_to(Path(file).parents[1]).as_posix() for file in sets[part].files] for part in PARTS
    }


def test_items_say_who_is_seen(tmp_path):
    sets = load(people(tmp_path, {"Zoë": 5, "Ana Maria": 10}))
    assert [len(sets[part]) for part in PARTS] == [9, 3, 3]
    for dataset in sets.values():
        assert dataset.names == ["Ana Maria", "Zoë"]
        for index, file in enumerate(dataset.files):
            item = dataset[index]
            assert Path(file).parent.name == dataset.names[item["label"]] == dataset.names[dataset.labels[index]]
            assert (item["file"], tuple(item["image"].shape)) == (file, (3, 32, 24))


def test_any_form_and_turned_as_the_camera_says(tmp_path):
    people(tmp_path, {"a": 3, "b": 0})
    picture(tmp_path / "b" / "grey.PGM", 90, mode="L")
    picture(tmp_path / "b" / "palette.gif", 91, size=(7, 9), mode="P")
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    turned = picture(tmp_path / "b" / "turned.jpg", 92, size=(40, 20), exif=exif)
    shapes = {}
    for dataset in load(tmp_path).values():
        shapes |= {Path(item["file"]).name: item for item in dataset}
    assert (shapes["grey.PGM"]["image"][0] == shapes["grey.PGM"]["image"][2]).all()
    assert tuple(shapes["palette.gif"]["image"].shape) == (3, 9, 7)
    assert tuple(shapes[turned.name]["image"].shape) == (3, 40, 20)


def test_what_is_no_picture_is_passed_over_and_told(tmp_path):
    people(tmp_path, {"a": 3, "b": 3})
    (tmp_path / "README.txt").write_text("who took them")
    (tmp_path / "a" / "notes.txt").write_text("left, right")
    (tmp_path / "a" / ".DS_Store").write_bytes(b"\0")
    with pytest.warns(DataNote, match=r"passed over, no pictures by their names: notes\.txt$"):
        sets = load(tmp_path)
    assert sum(map(len, sets.values())) == 6


def faulty(root, fault):
    """A folder with one fault in it, and what must be said of it."""
    people(root, {"Ana": 4, "Bo": 4})
    if fault == "missing":
        return root / "none", "none: there is no such folder"
    if fault == "empty":
        (root / "empty").mkdir()
        return root / "empty", "one folder for each of two people or more is expected in it, found none"
    if fault == "one person":
        (root / "alone" / "Ana").mkdir(parents=True)
        picture(root / "alone" / "Ana" / "1.png")
        return root / "alone", "found only Ana"
    if fault == "one picture each":
        return people(root / "ones", {"Ana": 1, "Bo": 1}), r"too few pictures.*train, valid, test: Ana \(1\), Bo \(1\)"
    if fault == "no pictures at all":
        return people(root / "none", {"Ana": 0, "Bo": 0}), r"none: too few pictures.*: Ana \(0\), Bo \(0\)"
    if fault == "no pictures":
        (root / "Cy").mkdir()
        return root, r"too few pictures.*: Cy \(0\)"
    if fault == "text":
        (root / "Bo" / "x.jpg").write_text("hello")
        return root, "Bo: x.jpg is not an image"
    if fault == "cut":
        whole = picture(root / "Bo" / "x.jpg", 9).read_bytes()
        (root / "Bo" / "x.jpg").write_bytes(whole[:-100])
        return root, "Bo: x.jpg is truncated"
    if fault == "nested":
        (root / "Bo" / "more").mkdir()
        return root, "more: it is a folder within a person's"
    if fault == "link to a file":
        outside = picture(root.parent / "outside.png", 8)
        (root / "Bo" / "x.png").symlink_to(outside)
        return root, "x.png: it is a link that leads out of the folder"
    if fault == "link to a folder":
        (root / "sub" / "Ana").mkdir(parents=True)
        (root / "sub" / "Bo").symlink_to(root / "Bo")
        return root / "sub", "Bo: it is a link that leads out of the folder"
    if fault == "two spellings":
        for form in ("NFC", "NFD"):
            picture(root / unicodedata.normalize(form, "Zoë") / f"{form}.png", ord(form[2]))
        return root, "two folders of the name 'Zoë'"
    (root / "Bo" / "x.png").write_bytes((root / "Ana" / "1.png").read_bytes())
    return root, r"x\.png: it is the same picture as .*1\.png, of 'Ana'"


@pytest.mark.parametrize(
    "fault",
    [
        *(
            "missing",
            "empty",
            "one person",
            "one picture each",
            "no pictures",
            "no pictures at all",
            "text",
            "cut",
            "nested",
        ),
        *("link to a file", "link to a folder", "two spellings", "two names"),
    ],
)
def test_a_faulty_folder_is_one_line(tmp_path, fault):
    root, words = faulty(tmp_path / "data", fault)
    with pytest.raises(DataError, match=words) as caught:
        load(root)
    assert len(str(caught.value).splitlines()) == 1


def test_a_link_that_stays_inside_is_followed(tmp_path):
    people(tmp_path, {"a": 3, "b": 3})
    (tmp_path / "a" / "again.png").symlink_to(tmp_path / "a" / "0.png")
    assert sum(map(len, load(tmp_path).values())) == 7


@pytest.mark.parametrize("name", ["Zoë Ångström", "two\nlines", " blanks ", "[red]x", "-", "名前", "%s{}"])
def test_any_name_that_a_folder_can_have(tmp_path, name):
    people(tmp_path, {name: 3, "other": 3})
    assert unicodedata.normalize("NFC", name) in load(tmp_path)["train"].names


def test_people_with_too_few_pictures_are_left_out_if_asked(tmp_path):
    people(tmp_path, {"a": 3, "b": 2, "c": 3})
    with pytest.warns(DataNote, match=r"people left out, too few pictures: b \(2\)"):
        assert load(tmp_path, few="skip")["train"].names == ["a", "c"]
    with pytest.raises(DataError, match="fewer than two people"):
        load(tmp_path, few="skip", least=2)
    assert load(tmp_path, valid=0)["train"].names == ["a", "b", "c"]


@pytest.mark.parametrize(
    "options", [{"valid": -0.1}, {"test": 1.0}, {"valid": 0.5, "test": 0.5}, {"least": 0}, {"few": "x"}]
)
def test_options_out_of_range(tmp_path, options):
    people(tmp_path, {"a": 3, "b": 3})
    with pytest.raises(InputError, match=next(iter(options))):
        load(tmp_path, **options)


def test_strangers_are_in_no_other_part(tmp_path):
    people(tmp_path, dict.fromkeys("abcde", 4))
    sets = load(tmp_path, strangers=2, copies=())
    assert list(sets) == [*PARTS, "strangers"]
    known = sets["train"].names
    assert len(known) == 3
    assert {Path(file).parent.name for part in PARTS for file in sets[part].files} == set(known)
    assert {Path(file).parent.name for file in sets["strangers"].files} == set("abcde") - set(known)
    assert len(sets["strangers"]) == 8
    assert {item["label"] for item in sets["strangers"]} == {-1}
    assert len({tuple(load(tmp_path, strangers=2, seed=seed, copies=())["train"].names) for seed in range(6)}) > 1
    with pytest.raises(InputError, match="strangers must leave two people of 5, got 4"):
        load(tmp_path, strangers=4)


def test_near_copies_are_found_and_stay_together(tmp_path):
    """A picture again in another form, darker, counts with the first."""
    people(tmp_path, {"a": 6, "b": 6})
    for seed in range(2):
        image = Image.open(tmp_path / "a" / "0.png").resize((120, 160))
        image.save(tmp_path / "a" / "first.png")
        image.point(lambda value: value // 2).save(tmp_path / "a" / "darker.jpg", quality=90)
        parts = files_of(load(tmp_path, seed=seed))
        assert (
            len({part for part, files in parts.items() for file in files if file in ("a/first.png", "a/darker.jpg")})
            == 1
        )


GROUPS = st.lists(st.integers(1, 4), min_size=1, max_size=8)
NAMES = st.lists(st.text(string.ascii_letters + " éß\n", min_size=1, max_size=6), min_size=2, max_size=4)


@settings(max_examples=40)
@given(names=NAMES, data=st.data(), least=st.integers(1, 3), seed=st.integers(0, 9), valid=st.sampled_from([0, 0.2]))
def test_every_division_keeps_its_promises(names, data, least, seed, valid):
    """Over folders: a partition, enough in each part, no moment split, the seed alone decides, others do not matter."""
    own_groups = {name: data.draw(GROUPS) for name in {unicodedata.normalize("NFC", name) for name in names}}
    groups = own_groups | {"always": [2, 1, 1, 1, 3, 2, 2], "too": [1] * 9}
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", DataNote)
        root, number, pairs = Path(folder), 0, []
        for name, sizes in groups.items():
            for moment, size in enumerate(sizes):
                files = [root / name / f"{moment}-{index}.bmp" for index in range(size)]
                for file in files:
                    picture(file, number := number + 1, size=(2, 2))
                pairs += [Copy(str(files[0]), str(file), 1.0, False) for file in files[1:]]
        options = {"least": least, "seed": seed, "few": "skip", "copies": pairs, "valid": valid}
        sets = load(root, **options)
        found = files_of(sets)
        assert found == files_of(load(root, **options))
        for name in sets["train"].names:
            own = [[Path(file).name for file in files if Path(file).parent.name == name] for files in found.values()]
            assert min(len(part) for part in (own if valid else own[::2])) >= least
            assert valid or not own[1]
            assert sorted(chain.from_iterable(own)) == sorted(file.name for file in (root / name).iterdir())
            assert sum(len({name.partition("-")[0] for name in part}) for part in own) == len(groups[name])
        for name in own_groups:
            shutil.rmtree(root / name)
        left = files_of(load(root, **options))
        assert left == {part: [f for f in files if f.startswith(("always/", "too/"))] for part, files in found.items()}


def test_rendered_people_are_identity_folders(tmp_path):
    out = tmp_path / "faces"
    done = []
    synthesise(out, people=2, images=3, size=32, seed=1, progress=lambda *step: done.append(step))
    assert done == [(3, 6), (6, 6)]
    sets = load(out)
    assert sets["train"].names == ["person1", "person2"]
    assert [len(dataset) for dataset in sets.values()] == [2, 2, 2]
    assert sets["train"][0]["image"].shape == (3, 32, 32)
    synthesise(tmp_path / "again", people=2, images=3, size=32, seed=1)
    for file in out.rglob("*.*"):
        assert file.read_bytes() == (tmp_path / "again" / file.relative_to(out)).read_bytes()


def test_a_rendering_that_fails_leaves_nothing(tmp_path):
    for options in ({"people": 1}, {"images": 0}, {"size": 8}, {"seed": -1}):
        with pytest.raises(InputError):
            synthesise(tmp_path / "faces", **({"people": 2, "images": 2, "size": 32} | options))
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "file").touch()
    with pytest.raises(InputError, match="not an empty folder"):
        synthesise(tmp_path / "used", people=2, images=1, size=32)


def test_the_orl_faces_are_fetched_whole_or_not_at_all(tmp_path, monkeypatch):
    images, target = np.linspace(0, 1, 400 * 64 * 64).reshape(400, 64, 64), np.arange(400) // 10
    found = SimpleNamespace(images=images.astype(np.float32), target=target)
    monkeypatch.setattr("sklearn.datasets.fetch_olivetti_faces", lambda **_: found)
    fetch_orl(tmp_path / "orl")
    sets = load(tmp_path / "orl", copies=())
    assert [len(dataset) for dataset in sets.values()] == [240, 80, 80]
    last = decode(tmp_path / "orl" / "person40" / "10.png")
    assert (last.shape, int(last.max())) == ((3, 64, 64), 255)

    def unreachable(**_):
        raise URLError("no route to host")

    monkeypatch.setattr("sklearn.datasets.fetch_olivetti_faces", unreachable)
    with pytest.raises(InputError, match="could not be downloaded; is there a connection"):
        fetch_orl(tmp_path / "again")
    assert [file.name for file in tmp_path.iterdir()] == ["orl"]
