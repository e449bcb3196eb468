"""Commands of a class: hand out exercises, grade what comes back."""

from pathlib import Path
from typing import Annotated

import typer

from vitcourse.commands import command_group, console, example, say
from vitcourse.commands.options import OwnCourse, made, options_of
from vitcourse.grading.walled.limits import Limits

app = command_group()


@app.command(epilog=example("vitcourse assign 01_attention --out handout"))
def assign(
    lesson: Annotated[str, typer.Argument(help="The lesson whose exercises to hand out.")],
    out: Annotated[Path, typer.Option(help="The folder to write to; it may hold other lessons.")],
    course: OwnCourse = None,
    repository: Annotated[
        str | None, typer.Option(help="The course's address: a first cell then installs it where it is missing.")
    ] = None,
) -> None:
    """Make the notebook that students get: stubs, test cells, no solutions."""
    from vitcourse.grading.lean import lean

    with lean():
        from vitcourse.grading.run import assign as release

    say(f"wrote {release(lesson, out, own=course, repository=repository)}")


@app.command(epilog=example("vitcourse grade submissions.zip --seed 'three green kites' --out grades.csv"))
@options_of(Limits)
def grade(
    given: dict,
    submissions: Annotated[
        list[Path],
        typer.Argument(help="Folders with STUDENT/any name.ipynb or STUDENT.ipynb; zips that a platform has packed."),
    ],
    out: Annotated[Path, typer.Option(help="The table to write; gradebook and feedback go to a folder beside it.")],
    seed: Annotated[
        str | None,
        typer.Option(
            help="Any text. It draws the inputs of the checks; keep it from the students. The folder keeps it."
        ),
    ] = None,
    roster: Annotated[
        Path | None, typer.Option(help="The class, a CSV of yours or of the platform: everybody in it gets a row.")
    ] = None,
    student: Annotated[list[str] | None, typer.Option(help="Grade this student alone; the others stay.")] = None,
    since: Annotated[
        str, typer.Option(help="Grade what was handed in since 2026-01-31, or '2026-01-31 18:00'; the rest stays.")
    ] = "",
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where a grading was broken off, and with what has changed.")
    ] = False,
    part: Annotated[str, typer.Option(help="Grade a share of the students, such as 3/8; see vitcourse merge.")] = "1/1",
    jobs: Annotated[int, typer.Option(help="Submissions graded at once; 0 for as many as there are cores.", min=0)] = 0,
    late: Annotated[Path | None, typer.Option(help="A small file that says what lateness costs.")] = None,
    rubric: Annotated[Path | None, typer.Option(help="A small file with points for named mistakes.")] = None,
    course: OwnCourse = None,
    no_isolation: Annotated[
        bool, typer.Option("--no-isolation", help="Run submissions with your own rights: only those that you trust.")
    ] = False,
) -> None:
    """Grade submissions: each runs alone, without network, and is judged outside of its own process."""
    from vitcourse.commands.terminal import progress
    from vitcourse.grading.lean import lean

    with lean():
        import nbgrader.converters  # noqa: F401 - for all that grade

        from vitcourse.grading.choose import Choice, share
        from vitcourse.grading.run import grade as grade_all

    limits = made(Limits, given)
    choice = Choice(tuple(student or ()), since, resume, share(part))
    if no_isolation:
        console.print(
            "[bold yellow]no isolation:[/] submissions run with your rights and can read, change and send what you can",
            soft_wrap=True,
        )
    folder, *more = submissions
    settings = {"limits": limits, "isolated": not no_isolation, "jobs": jobs}
    settings |= {"late": late, "rubric": rubric, "own": course}
    try:
        with progress("grading") as (step,):
            graded = grade_all(folder, seed, out, more=more, roster=roster, choice=choice, progress=step, **settings)
    except KeyboardInterrupt:
        say(f"broken off; {out} holds all that is graded, and --resume goes on")
        raise
    for line in graded.problems:
        say(line)
    _sum_up(graded.rows, f"graded {_count(len(graded.pages), 'submission')}")
    if graded.by_hand:
        say(f"points by hand are still to be given to {_count(graded.by_hand, 'answer')}")
    say(f"wrote {out} and {out.with_suffix('') / 'feedback'}")
    if graded.report:
        say(f"the class at a glance: {out.with_suffix('') / graded.report.name}")


@app.command(epilog=example("vitcourse merge part-1.csv part-2.csv --out grades.csv"))
def merge(
    tables: Annotated[list[Path], typer.Argument(help="What `vitcourse grade --part` has written.")],
    out: Annotated[Path, typer.Option(help="The table to write; its folder must be new.")],
    course: OwnCourse = None,
) -> None:
    """Join the parts of a class that were graded apart."""
    from vitcourse.grading.lean import lean

    with lean():
        from vitcourse.grading.merge import merge as merge_all

    entries, notes = merge_all(tables, out, own=course)
    for line in dict.fromkeys([*(line for entry in entries for line in entry.problems), *notes]):
        say(line)
    rows = [row for entry in entries for row in entry.rows]
    _sum_up(rows, f"joined {_count(len(tables), 'part')}, {_count(len(entries), 'submission')}")
    say(f"wrote {out} and {out.with_suffix('') / 'feedback'}")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _sum_up(rows: list, words: str) -> None:
    students = len({row.student for row in rows})
    got, most = sum(row.points for row in rows), sum(row.max_points for row in rows)
    mean = f"; a student has {got / students:.1f} of {most / students:.1f} points on average" if students else ""
    say(words + mean)
