"""How learning platforms name what students hand in, and what they take back.

- Moodle packs a folder for each student, ``Full Name_1234567_assignsubmission_file``, with ``_`` at the end before 4.1,
  or names the files so; the number is the participant's. What comes back is read in the same way
  (``mod/assign/feedback/file/importziplib.php``).
- Canvas packs files, ``lastfirst_12345_67890_name.ipynb``, with ``_LATE`` before the user's number where it was late
  (``get_filename`` in ``lib/content_zipper.rb``); the second number is the file's. A file comes back by both numbers.
- Blackboard packs files, ``Assignment_username_attempt_2026-01-31-10-00-00_name.ipynb``, and a text with the student's
  name beside them. It has no way back for many files at once.
"""

import re
import unicodedata
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

MOODLE, CANVAS, BLACKBOARD = "moodle", "canvas", "blackboard"
PATTERNS = {
    MOODLE: re.compile(r"(?P<label>(?P<name>.+)_(?P<id>\d+)_assignsubmission_[a-z]+)(?:_.*)?"),
    BLACKBOARD: re.compile(r"(?P<label>.+_(?P<id>[^_]+)_attempt_(?P<time>\d{4}(?:-\d\d){5}))(?:_.*|\.txt)?"),
    CANVAS: re.compile(
        r"(?P<label>(?:(?P<name>[^_]+)_(?P<late>LATE_)?(?P<id>\d+)|(?P<late_>LATE_)?anon_(?P<anonymous>[^_]+))"
        r"(?:_\d+(?=_.)|(?=_(?:text|link)\.html)))_.+"
    ),
}
MARKS = re.compile(r"\W")
# The text that Blackboard puts beside the files of an attempt begins so.
WHOSE = re.compile(r"Name: (?P<name>.+) \((?P<id>[^()]+)\)\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Person:
    """A student, as a platform or a roster tells.

    Args:
        student: what the table calls them; no two of a class are called the same.
        name: theirs, as far as it is told.
        platform: where they handed in: `MOODLE`, `CANVAS`, `BLACKBOARD` or "".
        id: the platform's: the participant's number, the user's number, or the user's name.
        label: what a file that goes back must be called, in the beginning.
        late: whether the platform has marked the work as late.
        time: when it was handed in, where the platform says it: "2026-01-31 10:00:00".
    """

    student: str
    name: str = ""
    platform: str = ""
    id: str = ""
    label: str = ""
    late: bool = False
    time: str = ""

    @property
    def handed_in(self) -> datetime | None:
        """The time, in this machine's zone; None where the platform says none, or a name only looks like its own."""
        with suppress(ValueError):
            return datetime.fromisoformat(self.time).astimezone()
        return None


def by_name(name: str) -> Person | None:
    """Whose a folder or a file is, by the name that a platform has given to it; None for any other name."""
    for platform, pattern in PATTERNS.items():
        if (found := pattern.fullmatch(name)) is None:
            continue
        facts = found.groupdict()
        person, own = facts.get("name") or "", facts["id"] or f"anon_{facts['anonymous']}"
        date, clock = (facts.get("time") or "")[:10], (facts.get("time") or "")[11:].replace("-", ":")
        return Person(
            own if platform == BLACKBOARD or not person else f"{person}_{own}",
            person,
            platform,
            own,
            facts["label"],
            bool(facts.get("late") or facts.get("late_")),
            f"{date} {clock}".strip(),
        )
    return None


def with_name(person: Person, text: str) -> Person:
    """The same, with the name that Blackboard's text tells."""
    found = WHOSE.search(text)
    return replace(person, name=found["name"]) if found and found["id"] == person.id else person


def moodle_student(name: str, number: str) -> str:
    """What Moodle calls a student's folder, up to the number: the name without ``_``."""
    return f"{name.replace('_', ' ')}_{number}"


def canvas_student(sortable_name: str, number: str) -> str:
    """What Canvas calls a student's files, up to the number: the name's letters and digits, in small letters."""
    return f"{MARKS.sub('', sortable_name).lower()}_{number}"


def called(student: str, name: str) -> str:
    """A student for a human: the name, where it is told, and what the table calls them."""
    return f"{name} ({student})" if plain(name) not in plain(student) else student


def plain(text: str) -> str:
    """A name or an id for comparison: small letters, one form of accents, single blanks."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def names_alike(text: str) -> frozenset[str]:
    """The forms that a name has: ``Lee, Ann`` is ``Ann Lee``, and ``leeann`` on Canvas."""
    last, comma, first = text.partition(",")
    forms = {plain(text), plain(f"{first} {last}") if comma else ""}
    words = plain(text.replace(",", " ")).split()
    sortable = f"{last}{first}" if comma else "".join([*words[-1:], *words[:-1]])
    return frozenset({*forms, plain(MARKS.sub("", sortable))} - {""})
