"""Answers to ``faces.divide``: True for the pictures that are held out."""

from collections import defaultdict

import torch

from tests.checks.bank.entries import Bank

BANK = Bank("faces.divide")


@BANK.right
def person_by_person(person, moment, valid):
    held = torch.zeros(len(person), dtype=torch.bool)
    for who in set(person.tolist()):
        shots = sorted(set(moment[person == who].tolist()))
        while held[person == who].sum() < valid:
            held[(person == who) & (moment == shots.pop(0))] = True
    return held


@BANK.right
def by_counting_before(person, moment, valid):
    """A moment is held out where fewer than valid pictures of its person belong to earlier ones."""
    own = person[:, None] == person
    return (own & (moment < moment[:, None])).sum(1) < valid


@BANK.right
def with_dictionaries(person, moment, valid):
    places = defaultdict(lambda: defaultdict(list))
    for place, (who, when) in enumerate(zip(person.tolist(), moment.tolist(), strict=True)):
        places[who][when].append(place)
    chosen = []
    for shots in places.values():
        own = []
        for when in sorted(shots):
            if len(own) < valid:
                own += shots[when]
        chosen += own
    return torch.tensor([place in chosen for place in range(len(person))])


def greedy(enough, order=sorted):
    def divide(person, moment, valid):
        held = torch.zeros(len(person), dtype=torch.bool)
        for who in set(person.tolist()):
            count = shots = 0
            for when in order(set(moment[person == who].tolist())):
                own = (person == who) & (moment == when)
                if enough(count, shots, int(own.sum()), valid):
                    break
                held |= own
                count, shots = count + int(own.sum()), shots + 1
        return held

    return divide


BANK.wrong("turned")(lambda person, moment, valid: ~person_by_person(person, moment, valid))
BANK.wrong("one-moment-each")(greedy(lambda count, shots, size, valid: shots == 1))
BANK.wrong("counts-moments")(greedy(lambda count, shots, size, valid: shots == valid))
BANK.wrong("one-more")(greedy(lambda count, shots, size, valid: count > valid))
BANK.wrong("too-few")(greedy(lambda count, shots, size, valid: count + size > valid))
BANK.wrong("from-the-end")(
    greedy(lambda count, shots, size, valid: count >= valid, lambda shots: sorted(shots, reverse=True))
)
BANK.wrong("wrong-values")(greedy(lambda count, shots, size, valid: True))
BANK.wrong("wrong-dtype")(lambda person, moment, valid: person_by_person(person, moment, valid).long())
BANK.wrong("wrong-type")(lambda person, moment, valid: person_by_person(person, moment, valid).tolist())
BANK.wrong("wrong-shape")(lambda person, moment, valid: person_by_person(person, moment, valid).nonzero().flatten())


@BANK.wrong("as-they-come")
def by_appearance(person, moment, valid):
    held = torch.zeros(len(person), dtype=torch.bool)
    for who, when in zip(person.tolist(), moment.tolist(), strict=True):
        if held[person == who].sum() < valid:
            held[(person == who) & (moment == when)] = True
    return held


@BANK.wrong("people-missing")
def numbered_from_nought(person, moment, valid):
    held = torch.zeros(len(person), dtype=torch.bool)
    for who in range(len(set(person.tolist()))):
        held |= (person == who) & person_by_person(person, moment, valid)
    return held


@BANK.wrong("cuts-a-moment")
def picture_by_picture(person, moment, valid):
    held = torch.zeros(len(person), dtype=torch.bool)
    for place, who in enumerate(person.tolist()):
        held[place] = held[person == who].sum() < valid
    return held


@BANK.wrong("cuts-a-moment")
def sorted_pictures(person, moment, valid):
    held = torch.zeros(len(person), dtype=torch.bool)
    for who in person.unique():
        own = (person == who).nonzero().flatten()
        held[own[moment[own].argsort(stable=True)][:valid]] = True
    return held


@BANK.wrong("for-all-together")
def over_all(person, moment, valid):
    return person_by_person(torch.zeros_like(person), moment, valid)


@BANK.wrong("moments-of-others")
def by_number_alone(person, moment, valid):
    numbers = set(moment[person_by_person(person, moment, valid)].tolist())
    return torch.tensor([when in numbers for when in moment.tolist()])
