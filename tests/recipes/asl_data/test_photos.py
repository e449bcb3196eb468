"""The photos of a recorded run: what they are called, and which of them are one."""

from vitcourse.data.asl import Copy, load, synthesise
from vitcourse.recipes.asl_data import photos
from vitcourse.recipes.asl_data.photos import copies_within, identity


def test_copies_are_looked_for_once(folder, export, monkeypatch):
    train, calls, said = load(export, "train"), [], []

    def find(files):
        calls.append(len(files))
        return [Copy(files[1], files[4], 0.75, True)]

    monkeypatch.setattr(photos, "find_copies", find)
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
    monkeypatch.setitem(photos.KNOWN, identity(tmp_path / "signs")["images_sha256"], "the one")
    assert identity(tmp_path / "signs")["name"] == "the one"
