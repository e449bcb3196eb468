"""Which submissions of a class are graded, and which stay as they are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from vitcourse.errors import InputError, some
from vitcourse.grading.harmless import as_id
from vitcourse.grading.late import Policy
from vitcourse.grading.ledger import Ledger, by_hand, digest, fingerprint, versions
from vitcourse.grading.master import Master
from vitcourse.grading.platforms import called, plain
from vitcourse.grading.submissions import Submission


@dataclass(frozen=True)
class Choice:
    """What is graded; by default all, from the beginning.

    Args:
        students: these alone, by what the table calls them, by name or by id.
        since: what was handed in at that time or later, "2026-01-31" or "2026-01-31 18:00".
        resume: what has not been graded yet, as it is now, with this seed, these versions, policies and points by hand.
        part: (3, 8) is the third of eight shares of the students.
    """

    students: tuple[str, ...] = ()
    since: str = ""
    resume: bool = False
    part: tuple[int, int] = (1, 1)

    @property
    def again(self) -> bool:
        """Whether what was graded before stays."""
        return bool(self.students or self.since or self.resume)


def share(text: str) -> tuple[int, int]:
    """ "3/8" as two numbers.

    Raises:
        InputError: it is none.
    """
    number, slash, count = text.partition("/")
    if not (slash and number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count)):
        raise InputError(f"--part {text}: a part is written as 3/8, from 1/8 to 8/8")
    return int(number), int(count)


def chosen(
    choice: Choice,
    submissions: Sequence[Submission],
    masters: Mapping[str, Master],
    ledger: Ledger,
    seed: str,
    policy: Policy,
) -> list[Submission]:
    """Those to grade.

    Raises:
        InputError: nobody is called so, or the time is none.
    """
    number, count = choice.part
    students = sorted({entry.student for entry in submissions})
    mine = set(students[number - 1 :: count])
    result = [entry for entry in submissions if entry.student in mine]
    for name in choice.students:
        if not any(_is(entry, name) for entry in result):
            names = {one.student: called(one.student, one.person.name if one.person else "") for one in submissions}
            raise InputError(f"--student {name}: nobody is called so; there are: {some(map(names.get, students))}")
    if choice.students:
        result = [entry for entry in result if any(_is(entry, name) for name in choice.students)]
    if choice.since:
        time = _time(choice.since)
        result = [entry for entry in result if entry.when >= time]
    if choice.resume:
        now, hands = (fingerprint(seed), versions()), by_hand(ledger.root)
        result = [
            entry
            for entry in result
            if _before(ledger, entry)
            != (digest(entry, masters[entry.lesson], policy), *now, hands.get((as_id(entry.student), entry.lesson), ""))
        ]
    return result


def _is(entry: Submission, name: str) -> bool:
    person = entry.person
    names = (entry.student, person.name, person.id) if person else (entry.student,)
    return plain(name) in map(plain, names)


def _time(text: str) -> float:
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError as error:
        raise InputError(f"--since {text}: a time is written as 2026-01-31 or '2026-01-31 18:00'") from error


def _before(ledger: Ledger, entry: Submission) -> tuple[str, ...] | None:
    graded = ledger.entries.get((entry.student, entry.lesson))
    return (graded.digest, graded.seed, graded.versions, graded.hand) if graded else None
