"""What lateness costs: a policy is a function of points and lateness, and a file of a few lines says which.

    grace_minutes = 15
    percent_per_day = 10     # of the points, for each day that has begun
    percent_at_most = 50
    days_at_most = 7         # what comes later has no points

    [deadlines]
    01_attention = 2026-11-20T18:00:00
    02_multi_head = 2026-11-27            # the end of that day

    [extensions."anna"]
    01_attention = 2026-11-24

    [handed_in."ben"]                     # where nothing else tells it
    01_attention = 2026-11-21T08:15:00

Of what a platform has named (`platforms`), Blackboard tells the time of an attempt, and Canvas that it came late, but
not how late: that is taken for one day. Times without a zone are those of this machine.
"""

import math
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime, time, timedelta
from pathlib import Path

from vitcourse.errors import InputError, some
from vitcourse.grading.submissions import Submission

LATE = "late"  # the row of the table that takes points off: 01_attention/late
DAY = timedelta(days=1)
Times = Mapping[str, datetime]


@dataclass(frozen=True)
class Policy:
    """See the head of this file; without deadlines nobody is late."""

    grace_minutes: float = 0
    percent_per_day: float = 0
    percent_at_most: float = 100
    days_at_most: float = math.inf
    deadlines: Times = field(default_factory=dict)
    extensions: Mapping[str, Times] = field(default_factory=dict)
    handed_in: Mapping[str, Times] = field(default_factory=dict)

    def points(self, points: float, late: timedelta) -> float:
        """What is left of the points of work that is so late."""
        late -= timedelta(minutes=self.grace_minutes)
        days = math.ceil(late / DAY)
        if days <= 0:
            return points
        taken = 100 if days > self.days_at_most else min(self.percent_at_most, days * self.percent_per_day)
        return points * (1 - taken / 100)

    def lateness(self, submission: Submission) -> timedelta:
        """How late it came; nothing where that is not known."""
        lesson, person = submission.lesson, submission.person
        extended = _own(self.extensions, submission).get(lesson)
        deadline = extended or self.deadlines.get(lesson)
        when = _own(self.handed_in, submission).get(lesson) or (person and person.handed_in)
        if deadline and when:
            return max(timedelta(), when - deadline)
        # A platform that marks what is late knows of no extension given here.
        return DAY if person and person.late and not extended else timedelta()

    def strangers(self, submissions: Iterable[Submission]) -> list[str]:
        """Who is named here and is nobody of these."""
        return sorted({*self.extensions, *self.handed_in}.difference(*map(_names, submissions)))


def in_words(late: timedelta) -> str:
    """ "1 d 23 h"; a minute that has begun counts."""
    minutes = math.ceil(late / timedelta(minutes=1))
    parts = (minutes // 1440, "d"), (minutes // 60 % 24, "h"), (minutes % 60, "min")
    return " ".join(f"{number} {unit}" for number, unit in parts if number)


def _names(submission: Submission) -> set[str]:
    """What a student may be called: as in the table, by name, by the platform's id."""
    person = submission.person
    return {submission.student, *([person.name, person.id] if person else [])}


def _own(tables: Mapping[str, Times], submission: Submission) -> Times:
    return next((tables[name] for name in _names(submission) & tables.keys()), {})


def read(path: Path, lessons: Iterable[str]) -> Policy:
    """A policy from its file.

    Raises:
        InputError: it cannot be read or used, or names a lesson that is none; the message says where.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: {getattr(error, 'strerror', None) or error}") from error
    known = [one.name for one in fields(Policy)]
    if unknown := table.keys() - set(known):
        raise InputError(f"{path}: unknown: {some(sorted(unknown))}; there are: {', '.join(known)}")
    given = {}
    for name, value in table.items():
        if name == "deadlines":
            given[name] = _times(value, f"{path}: {name}", lessons)
        elif name in ("extensions", "handed_in"):
            if not isinstance(value, dict):
                raise InputError(f'{path}: {name} is a table for each student: [{name}."anna"]')
            given[name] = {one: _times(own, f"{path}: {name} of {one}", lessons) for one, own in value.items()}
        elif isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
            raise InputError(f"{path}: {name} must be a number of 0 or more, and is {value!r}")
        else:
            given[name] = value
    if given.get("percent_at_most", 0) > 100:
        raise InputError(f"{path}: percent_at_most is {given['percent_at_most']}, more than 100")
    return Policy(**given)


def _times(table: object, where: str, lessons: Iterable[str]) -> dict[str, datetime]:
    if not isinstance(table, dict):
        raise InputError(f"{where} must be a table, with a line as 01_attention = 2026-11-20T18:00:00")
    for lesson, when in table.items():
        if lesson not in lessons:
            raise InputError(f"{where}: there are no exercises for {lesson!r}; there are for: {', '.join(lessons)}")
        if not isinstance(when, date):
            raise InputError(f"{where}: {lesson} is no date such as 2026-11-20 or 2026-11-20T18:00:00, but {when!r}")
    ends = {
        lesson: when if isinstance(when, datetime) else datetime.combine(when, time.max)
        for lesson, when in table.items()
    }
    return {lesson: when.astimezone() for lesson, when in ends.items()}
