"""``asl_data.split(files, share, seed)``: images divided by photo, so that no photo is on both sides.

Source of the names: Roboflow's exports call every augmented copy of U7.jpg ``U7_jpg.rf.HASH.jpg``.
"""

import math

from torch import Tensor

from vitcourse.checks.asl_data.common import LETTERS
from vitcourse.checks.engine.check import Check
from vitcourse.checks.engine.probe import Probe, Wrong, describe, several

split = Check("asl_data.split")
SEEDS = 8  # divisions that are looked at: what one shows may be chance
Places = tuple[list[int], list[int]]


def _photo(file: str) -> str:
    return file.partition("_jpg.rf.")[0]


def _draw(probe: Probe, more: float = 0.0) -> tuple[list[str], float]:
    """Sorted names of images, and a share that is a whole number of photos and ``more`` of one.

    Copies are few or many, so that a share of the images is seldom one of the photos.
    """
    letters = (8, 10)[probe.integer(0, 1)]
    photos = [f"{letter}{number}" for letter in LETTERS[:letters] for number in (1, 2, 10, 11, 12)]
    copies = [name for name in photos for _ in range((1, 2, 5)[probe.integer(0, 2)])]
    files = sorted(f"{name}_jpg.rf.{probe.integer(10**7, 10**8 - 1)}.jpg" for name in copies)
    return files, round((len(photos) // 4 - probe.integer(0, 1) + more) / len(photos), 4)


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


def _call(probe: Probe, files: list[str], share: float, seed: int) -> Places:
    parts = several(probe.call(files, share, seed), 2, "a pair of lists (train, held out)")
    return tuple(_places(part, len(files), name) for part, name in zip(parts, ("Train", "Held out"), strict=True))


def _divided(probe: Probe, files: list[str], share: float) -> list[Places]:
    seed = probe.integer(0, 999)
    return [_call(probe, files, share, seed + more) for more in range(SEEDS)]


def _held(files: list[str], parts: Places) -> set[str]:
    return {_photo(files[place]) for place in parts[1]}


@split.property("every image is on one side, and on one alone")
def _whole(probe: Probe) -> None:
    files, share = _draw(probe)
    for parts in _divided(probe, files, share):
        train, held = map(set, parts)
        detail = f"{sum(map(len, parts))} places for {len(files)} images."
        probe.require(not train & held, "in-both", detail)
        probe.require([*map(len, parts)] == [len(train), len(held)], "drawn-twice", detail)
        probe.require(len(train) + len(held) == len(files), "loses-images", detail)


@split.property("no photo is on both sides")
def _photos(probe: Probe) -> None:
    files, share = _draw(probe)
    parts = _call(probe, files, share, probe.integer(0, 999))
    both = sorted(_held(files, parts) & _held(files, parts[::-1]))
    probe.require(not both, "splits-images", f"{len(both)} photos are on both sides, {', '.join(both[:3])} for one.")
    probe.require(all(parts), "wrong-values", "One of the two sides is empty.")


@split.property("the photos held out are drawn at random")
def _random(probe: Probe) -> None:
    files, share = _draw(probe)
    order = list(dict.fromkeys(map(_photo, files)))
    orders = [order, order[::-1], sorted(order), sorted(order, reverse=True)]
    sides = [_held(files, parts) for parts in _divided(probe, files, share)]
    ends = [{*order[: len(held)]} for held in sides for order in orders]
    probe.require(any(held not in ends for held in sides), "not-shuffled")


@split.property("each photo is a group of its own")
def _groups(probe: Probe) -> None:
    files, share = _draw(probe)
    sides = [[_held(files, part) for part in (parts, parts[::-1])] for parts in _divided(probe, files, share)]
    for length, misconception in ((1, "groups-by-letter"), (2, "joins-photos")):
        begin = [[{photo[:length] for photo in side} for side in both] for both in sides if len(both[0]) > 1]
        probe.require(any(held & train for held, train in begin) or not begin, misconception)


@split.property("the share of the photos that was asked for is held out")
def _share(probe: Probe) -> None:
    rights, counts, rules = [], [], []
    for more in (0.3, -0.3):  # cut off, or rounded up, it is another number once
        files, share = _draw(probe, more)
        photos = len({*map(_photo, files)})
        right = round(share * photos)
        rights.append({right})
        counts.append({len(_held(files, parts)) for parts in _divided(probe, files, share)})
        rules.append(
            {
                "sides-swapped": photos - right,
                "not-rounded/down": int(share * photos),
                "not-rounded/up": math.ceil(share * photos),
                "one-off/more": right + 1,
                "one-off/less": right - 1,
                "share-of-images": min(round(share * len(files)), photos),
            }
        )
    if counts == rights:
        return
    found, wanted = next((count, right) for count, right in zip(counts, rights, strict=True) if count != right)
    detail = f"{' or '.join(map(str, sorted(found)))} photos are held out and should be {min(wanted)}."
    for misconception in rules[0]:
        explained = counts == [{rule[misconception]} for rule in rules]
        probe.require(not explained, misconception.partition("/")[0], detail)
    probe.require(len(found) == 1, "drawn-twice" if max(found) <= min(wanted) else "share-of-images", detail)
    raise Wrong("wrong-values", detail)


@split.property("the same seed gives the same division, another seed another")
def _seed(probe: Probe) -> None:
    files, share = _draw(probe)
    seed = probe.integer(0, 999)
    first, again, other = (_held(files, _call(probe, files, share, one)) for one in (seed, seed, seed + 1))
    probe.require(first == again, "not-repeatable")
    probe.require(first != other, "seed-ignored")
