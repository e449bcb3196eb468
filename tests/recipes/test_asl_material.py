"""The data of a recorded run: what it is called, and photos that are not parted."""

import pytest

from vitcourse.data.asl import Copy, load, source_photo, synthesise
from vitcourse.errors import InputError
from vitcourse.recipes import asl_material
from vitcourse.recipes.asl_material import Material, copies_within, identity


def test_copies_of_a_photo_are_not_parted(export):
    """Pairs across photos join their groups: with all of each letter joined to one, a side would be empty."""
    train = load(export, "train")
    files, labels = train.files, train.labels.tolist()
    by_letter = {letter: [f for f, own in zip(files, labels, strict=True) if own == letter] for letter in range(26)}
    pairs = [Copy(some[0], some[1], 0.9, False) for some in by_letter.values()]
    parts = Material(export, pairs, 0.34)
    held, kept = ({source_photo(files[place]) for place in places} for places in (parts.held, parts.kept))
    assert held
    assert not held & kept
    for pair in pairs:
        photos = {source_photo(pair.first), source_photo(pair.second)}
        assert photos <= held or photos <= kept
    with pytest.raises(InputError, match="leaves one side empty"):
        Material(export, [Copy(some[0], file, 1.0, False) for some in by_letter.values() for file in some[1:]], 0.34)


def test_copies_are_looked_for_once(folder, export, monkeypatch):
    train, calls, said = load(export, "train"), [], []

    def find(files):
        calls.append(len(files))
        return [Copy(files[1], files[4], 0.75, True)]

    monkeypatch.setattr(asl_material, "find_copies", find)
    first, second = copies_within(train, said.append), copies_within(train, said.append)
    assert first == second == [Copy(train.files[1], train.files[4], 0.75, True)]
    assert calls == [78]
    assert len(said) == 1
    assert len(list((folder / "_build" / "copies").iterdir())) == 1


def test_data_is_known_in_any_form(tmp_path):
    """The names and letters are the same; the annotations are not."""
    found = {}
    for form in ("csv", "coco", "yolo", "voc"):
        synthesise(tmp_path / form, train=4, valid=3, test=0, size=32, seed=1, form=form)
        found[form] = identity(tmp_path / form)
        assert found[form]["form"] == form
        assert (found[form]["train"], found[form]["valid"]) == (4, 3)
    assert len({entry["images_sha256"] for entry in found.values()}) == 1
    assert len({entry["annotations_sha256"] for entry in found.values()}) == 4
    synthesise(tmp_path / "other", train=4, valid=3, test=0, size=32, seed=2)
    assert identity(tmp_path / "other")["images_sha256"] not in {entry["images_sha256"] for entry in found.values()}


def test_a_known_set_is_named(tmp_path, monkeypatch):
    synthesise(tmp_path / "signs", train=2, valid=2, test=0, size=32)
    monkeypatch.setitem(asl_material.KNOWN, identity(tmp_path / "signs")["images_sha256"], "the one")
    assert identity(tmp_path / "signs")["name"] == "the one"
