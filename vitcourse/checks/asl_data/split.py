"""``asl_data.split(files, share, seed)``: images divided by photo, so that no photo is on both sides.

Source of the names: Roboflow's exports call every augmented copy of U7.jpg ``U7_jpg.rf.HASH.jpg``.
"""

from torch import Tensor

from vitcourse.checks.asl_data.common import LETTERS
from vitcourse.checks.engine.check import Check
from vitcourse.checks.engine.probe import Probe, Wrong, describe, several

split = Check("asl_data.split")


def _photo(file: str) -> str:
    return file.partition("_jpg.rf.")[0]


def _draw(probe: Probe) -> tuple[list[str], float, int]:
    """Sorted names of images, the share of photos to hold out, and how many photos that is."""
    files = []
    for letter in LETTERS[: (8, 10)[probe.integer(0, 1)]]:
        for number in (1, 2, 10, 11, 12):
            for _ in range(probe.integer(2, 5)):
                files.append(f"{letter}{number}_jpg.rf.{probe.integer(10**7, 10**8 - 1)}.jpg")
    share = (0.1, 0.2)[probe.integer(0, 1)]
    return sorted(files), share, round(share * len({_photo(file) for file in files}))


def _places(value: object, count: int, name: str) -> list[int]:
    if isinstance(value, Tensor) and value.ndim == 1:
        value = value.tolist()
    if not isinstance(value, list | tuple):
        raise Wrong("wrong-type", f"{name} should be a list of places and is {describe(value)}.")
    if any(isinstance(place, str) for place in value):
        raise Wrong("names-not-places", f"{name} begins with {value[0]!r}.")
    value = [int(place) if isinstance(place, Tensor) and place.ndim == 0 else place for place in value]
    if not all(isinstance(place, int) and not isinstance(place, bool) and 0 <= place < count for place in value):
        raise Wrong("wrong-type", f"{name} should hold places from 0 to {count - 1}.")
    return value


def _call(probe: Probe, files: list[str], share: float, seed: int) -> tuple[list[int], list[int]]:
    parts = several(probe.call(files, share, seed), 2, "a pair of lists (train, held out)")
    return tuple(_places(part, len(files), name) for part, name in zip(parts, ("Train", "Held out"), strict=True))


def _held_photos(probe: Probe, files: list[str], share: float, seed: int) -> set[str]:
    return {_photo(files[place]) for place in _call(probe, files, share, seed)[1]}


@split.property("every image is on one side, and on one alone")
def _whole(probe: Probe) -> None:
    files, share, _ = _draw(probe)
    train, held = _call(probe, files, share, probe.integer(0, 999))
    found = train + held
    probe.require(len(found) == len(set(found)), "in-both", f"{len(found)} places for {len(files)} images.")
    probe.require(len(found) == len(files), "loses-images", f"{len(found)} places for {len(files)} images.")


@split.property("no photo is on both sides")
def _photos(probe: Probe) -> None:
    files, share, _ = _draw(probe)
    train, held = (
        {_photo(files[place]) for place in side} for side in _call(probe, files, share, probe.integer(0, 999))
    )
    both = sorted(train & held)
    probe.require(not both, "splits-images", f"{len(both)} photos are on both sides, {', '.join(both[:3])} for one.")
    probe.require(bool(train) and bool(held), "wrong-values", "One of the two sides is empty.")


@split.property("the photos held out are drawn at random")
def _random(probe: Probe) -> None:
    files, sides = _several(probe)
    orders = [list(dict.fromkeys(map(_photo, files))), sorted(set(map(_photo, files)))]
    orders += [order[::-1] for order in orders]
    ends = [{*order[: len(held)]} for held in sides for order in orders]
    probe.require(any(held not in ends for held in sides), "not-shuffled")


@split.property("each photo is a group of its own")
def _groups(probe: Probe) -> None:
    files, sides = _several(probe)
    photos = {_photo(file) for file in files}
    for length, misconception in ((1, "groups-by-letter"), (2, "joins-photos")):
        parted = [
            {photo[:length] for photo in held} & {photo[:length] for photo in photos - held}
            for held in sides
            if len(held) > 1
        ]
        probe.require(any(parted) or not parted, misconception)


def _several(probe: Probe) -> tuple[list[str], list[set[str]]]:
    """Files, and what is held out of them with four seeds: what one division shows may be chance."""
    files, share, _ = _draw(probe)
    seed = probe.integer(0, 999)
    return files, [_held_photos(probe, files, share, seed + more) for more in range(4)]


@split.property("the share of the photos that was asked for is held out")
def _share(probe: Probe) -> None:
    files, share, wanted = _draw(probe)
    found = len(_held_photos(probe, files, share, probe.integer(0, 999)))
    photos = len({_photo(file) for file in files})
    detail = f"Of {photos} photos {found} are held out and should be {wanted}."
    probe.require(found != photos - wanted, "sides-swapped", detail)
    probe.require(found == wanted, "share-of-images" if found > wanted else "wrong-values", detail)


@split.property("the same seed gives the same division, another seed another")
def _seed(probe: Probe) -> None:
    files, share, _ = _draw(probe)
    seed = probe.integer(0, 999)
    first, again, other = (_held_photos(probe, files, share, one) for one in (seed, seed, seed + 1))
    probe.require(first == again, "not-repeatable")
    probe.require(first != other, "seed-ignored")
