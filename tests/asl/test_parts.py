"""An export in parts: photos that are not parted, and what is read and decoded when."""

import pytest

from vitcourse.asl import parts as module
from vitcourse.asl.parts import Parts, relabelled, subset
from vitcourse.data.asl import Copy, load, source_photo, synthesise
from vitcourse.errors import InputError


@pytest.fixture(scope="module")
def export(tmp_path_factory):
    out = tmp_path_factory.mktemp("data") / "signs"
    synthesise(out, train=78, valid=40, test=0, size=32, seed=3)
    return out


def test_copies_of_a_photo_are_not_parted(export):
    """Pairs across photos join their groups: with all of each letter joined to one, a side would be empty."""
    train = load(export, "train")
    files, labels = train.files, train.labels.tolist()
    by_letter = {letter: [f for f, own in zip(files, labels, strict=True) if own == letter] for letter in range(26)}
    pairs = [Copy(some[0], some[1], 0.9, False) for some in by_letter.values()]
    kept, held = Parts(export, pairs).places(0.34)
    held, kept = ({source_photo(files[place]) for place in places} for places in (held, kept))
    assert held
    assert not held & kept
    for pair in pairs:
        photos = {source_photo(pair.first), source_photo(pair.second)}
        assert photos <= held or photos <= kept
    with pytest.raises(InputError, match="leaves one side empty"):
        Parts(export, [Copy(some[0], file, 1.0, False) for some in by_letter.values() for file in some[1:]]).places(
            0.34
        )


def test_valid_is_not_read_before_it_is_asked_for(export, tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    (data / "train").symlink_to(export / "train")
    parts = Parts(data)
    assert [len(places) for places in parts.places(0.34)] == [52, 26]
    assert parts.places(0.0) == (list(range(78)), [])
    with pytest.raises(InputError, match="no split 'valid'"):
        parts.counts(0.34)


def test_a_split_is_decoded_once_for_each_size(export, monkeypatch):
    made, real = [], module.InMemory
    monkeypatch.setattr(
        module, "InMemory", lambda dataset, size, **options: made.append((len(dataset), size)) or real(dataset, size)
    )
    parts = Parts(export)
    for size in (16, 24, 16):
        train, valid = parts.images(size, "train", "valid")
        assert (len(train), len(valid), train.images.shape[-1]) == (78, 40, size)
    assert made == [(78, 16), (40, 16), (78, 24), (40, 24)]
    kept = parts.kept(16, 0.34)
    places, _ = parts.places(0.34)
    assert kept.files == [parts.split("train").files[place] for place in places]
    assert (kept.images == parts.images(16, "train")[0].images[places]).all()
    assert len(subset(kept, range(3))) == 3


def test_tight_boxes_are_solved_once_and_leave_the_images_alone(tmp_path, monkeypatch):
    out, calls = tmp_path / "hulls", []
    synthesise(out, train=26, valid=26, test=0, size=64, copies=3, hulls=True)
    real = module.tighten
    monkeypatch.setattr(module, "tighten", lambda *given, **options: calls.append(given) or real(*given, **options))
    parts, seen = Parts(out), []
    exported = parts.boxes("exported")
    assert not calls
    tight = parts.boxes("tight", on_pair=lambda done, total: seen.append((done, total)))
    assert parts.boxes("tight") is tight
    assert len(calls) == 1
    assert seen[-1] == (52, 52)
    sides, old = (box[:, 2:] - box[:, :2] for box in (tight, exported))
    assert (sides <= old + 1e-6).all()
    assert (old - sides).mean() > 0.02
    (train,) = parts.images(16, "train")
    other = relabelled(train, tight)
    assert other.images is train.images
    assert other[3]["box"].equal(tight[3])
    assert train[3]["box"].equal(exported[3])
    assert Parts(out, tight=exported).boxes("tight") is exported


def test_progress_counts_over_all_that_is_decoded(export):
    seen, parts = [], Parts(export)
    parts.images(16, "train", "valid", on_image=lambda done, total: seen.append((done, total)))
    assert seen == [(done, 118) for done in range(1, 119)]
    parts.images(16, "train", on_image=lambda done, total: pytest.fail("decoded again"))
