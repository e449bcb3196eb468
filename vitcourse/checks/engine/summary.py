"""What a learner has passed of a lesson: the last outcome of each of its checks since the kernel was started."""

from vitcourse.checks.engine import display
from vitcourse.checks.engine.report import Report
from vitcourse.errors import InputError
from vitcourse.exercises import FILES, Exercise, of_topic

# The last report on each exercise, by its id. A check that is run twice counts once, as it ended last.
LAST: dict[str, Report] = {}
HEADINGS = ("Result", "Exercise", "Points")


def summary(lesson: str) -> None:
    """Shows which exercises of a lesson are passed, and the points: a table in a notebook, text elsewhere.

    A failed check gives points for the properties that hold, as in a graded class.

    Args:
        lesson: "01_attention".

    Raises:
        InputError: there are no exercises for it.
    """
    rows = _rows(lesson)
    display.present(as_html(rows), lambda symbols: text(rows, symbols))


def _rows(lesson: str) -> list[tuple[Exercise, Report | None]]:
    topic = lesson.partition("_")[2]
    if topic not in FILES or FILES[topic].stem != lesson:
        known = ", ".join(path.stem for path in FILES.values())
        raise InputError(f"there are no exercises for {lesson!r}; there are some for: {known}")
    return [(exercise, LAST.get(exercise.id)) for exercise in of_topic(topic).values()]


def status(report: Report | None) -> str:
    """One of the words of `display.SYMBOLS`; an untouched stub has not failed."""
    if report is None:
        return "not run"
    return {None: "passed", "not-implemented": "not tried"}.get(report.misconception, "failed")


def _earned(exercise: Exercise, report: Report | None) -> float:
    return 0 if report is None else report.earned(exercise.points)


def headline(rows: list[tuple[Exercise, Report | None]]) -> str:
    """One line: how many exercises are passed, and how many points that makes."""
    passed = sum(status(report) == "passed" for _, report in rows)
    points = sum(_earned(*row) for row in rows)
    return f"{passed} of {len(rows)} exercises passed, {points:g} of {sum(one.points for one, _ in rows)} points"


def text(rows: list[tuple[Exercise, Report | None]], symbols: dict[str, str] = display.SYMBOLS) -> str:
    """The table as plain text."""
    lines = [headline(rows)]
    for exercise, report in rows:
        points = f"{_earned(exercise, report):g} of {exercise.points}"
        lines.append(f"  {symbols[status(report)]} {status(report):9} {points:>10}  {exercise.title}")
    return "\n".join(lines)


def as_html(rows: list[tuple[Exercise, Report | None]]) -> str:
    """The table as an HTML fragment that brings its style with it."""
    lines = "\n".join(
        f"<tr><td>{display.badge(status(report))}</td><td>{display.inline(exercise.title)}</td>"
        f"<td>{_earned(exercise, report):g} of {exercise.points}</td></tr>"
        for exercise, report in rows
    )
    head = "".join(f'<th scope="col">{name}</th>' for name in HEADINGS)
    return (
        f'<div class="vitcourse-check">\n<style>{display.STYLE}</style>\n<table>\n'
        f"<caption>{headline(rows)}</caption>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{lines}\n</tbody>\n</table>\n</div>"
    )
