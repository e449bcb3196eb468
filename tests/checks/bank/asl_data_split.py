"""Answers to ``asl_data.split``: (places to train on, places held out)."""

import math
import random

import torch

from tests.checks.bank.entries import Bank

BANK = Bank("asl_data.split")


def photo_of(file):
    return file.split("_jpg.rf.")[0]


def divided(files, held, name=photo_of):
    """The places on both sides, where ``held`` is a set of groups."""
    places = range(len(files))
    return [i for i in places if name(files[i]) not in held], [i for i in places if name(files[i]) in held]


def by(name=photo_of, count=None, shuffle=random.Random):
    """An answer that divides groups; one part may be replaced."""

    def answer(files, share, seed):
        groups = sorted({name(file) for file in files})
        number = round(share * len(groups)) if count is None else count(share, files, groups)
        if shuffle is not None:
            shuffle(seed).shuffle(groups)
        return divided(files, set(groups[:number]), name)

    return answer


BANK.right(by())


@BANK.right
def with_a_dict_and_a_generator(files, share, seed):
    groups = {}
    for place, file in enumerate(files):
        groups.setdefault(file[: file.index("_jpg.rf.")], []).append(place)
    order = torch.randperm(len(groups), generator=torch.Generator().manual_seed(seed)).tolist()
    wanted = round(share * len(groups))
    sides = [torch.tensor(list(groups.values())[i]) for i in order]
    return torch.cat(sides[wanted:]), torch.cat(sides[:wanted])


@BANK.right
def draws_the_photos(files, share, seed):
    photos = list(dict.fromkeys(map(photo_of, files)))
    held = random.Random(seed).sample(photos, round(share * len(photos)))
    return divided(files, set(held))


class Fresh:
    """Another shuffle at every call, whatever the seed; the calls are numbered, so that a run can be repeated."""

    calls = 0

    def __init__(self, seed):
        Fresh.calls += 1
        self.own = random.Random(Fresh.calls)

    def shuffle(self, groups):
        self.own.shuffle(groups)


def images_by_chance(files, share, seed):
    order = list(range(len(files)))
    random.Random(seed).shuffle(order)
    number = round(share * len(files))
    return order[number:], order[:number]


BANK.wrong("splits-images")(images_by_chance)
BANK.wrong("splits-images")(by(name=lambda file: file))
BANK.wrong("splits-images")(by(name=lambda file: file.split(".rf.")[1]))
BANK.wrong("groups-by-letter")(by(name=lambda file: file[0]))
BANK.wrong("joins-photos")(by(name=lambda file: file[:2]))
BANK.wrong("share-of-images")(by(count=lambda share, files, groups: round(share * len(files))))
BANK.wrong("sides-swapped")(lambda *given: by()(*given)[::-1])
BANK.wrong("sides-swapped")(by(count=lambda share, files, groups: round((1 - share) * len(groups))))
BANK.wrong("wrong-values")(by(count=lambda share, files, groups: 1))
BANK.wrong("wrong-values")(lambda files, share, seed: (list(range(len(files))), []))
BANK.wrong("not-shuffled")(by(shuffle=None))
BANK.wrong("not-shuffled")(lambda files, share, seed: last_photos(files, share))
BANK.wrong("not-repeatable")(by(shuffle=Fresh))
BANK.wrong("seed-ignored")(by(shuffle=lambda seed: random.Random(0)))
BANK.wrong("wrong-type")(lambda *given: by()(*given)[0])
BANK.wrong("wrong-type")(lambda *given: tuple(len(side) for side in by()(*given)))


def last_photos(files, share):
    photos = sorted({photo_of(file) for file in files})
    return divided(files, set(photos[-round(share * len(photos)) :]))


@BANK.wrong("names-not-places")
def gives_names(files, share, seed):
    return [[files[i] for i in side] for side in by()(files, share, seed)]


@BANK.wrong("loses-images")
def keeps_one_copy_of_each(files, share, seed):
    sides = by()(files, share, seed)
    return [list({photo_of(files[i]): i for i in side}.values()) for side in sides]


@BANK.wrong("in-both")
def trains_on_all(files, share, seed):
    return list(range(len(files))), by()(files, share, seed)[1]


@BANK.wrong("changes-inputs")
def shuffles_the_files(files, share, seed):
    sides = by()(files, share, seed)
    files.reverse()
    return sides


def sampled(draw):
    """An answer whose photos held out come from ``draw``, given a generator, the photos and their number."""

    def answer(files, share, seed):
        photos = sorted(set(map(photo_of, files)))
        return divided(files, set(draw(random.Random(seed), photos, round(share * len(photos)))))

    return answer


BANK.wrong("not-rounded")(by(count=lambda share, files, groups: int(share * len(groups))))
BANK.wrong("not-rounded")(by(count=lambda share, files, groups: math.ceil(share * len(groups))))
BANK.wrong("one-off")(by(count=lambda share, files, groups: round(share * len(groups)) + 1))
BANK.wrong("one-off")(by(count=lambda share, files, groups: round(share * len(groups)) - 1))
BANK.wrong("drawn-twice")(sampled(lambda generator, photos, count: generator.choices(photos, k=count)))


@BANK.wrong("drawn-twice")
def lists_a_photo_twice(files, share, seed):
    photos = sorted(set(map(photo_of, files)))
    drawn = random.Random(seed).choices(photos, k=round(share * len(photos)))
    places = range(len(files))
    held = [i for photo in drawn for i in places if photo_of(files[i]) == photo]
    return [i for i in places if i not in held], held


@BANK.wrong("share-of-images")
def until_enough_images(files, share, seed):
    photos = sorted(set(map(photo_of, files)))
    random.Random(seed).shuffle(photos)
    held = set()
    while sum(photo_of(file) in held for file in files) < share * len(files):
        held.add(photos.pop())
    return divided(files, held)
