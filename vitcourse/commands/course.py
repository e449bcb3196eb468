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
    out: Annotated[Path, typer.Option(help="The folder to make; it must be new or empty.")],
    course: OwnCourse = None,
    repository: Annotated[
        str | None, typer.Option(help="The course's address: a first cell then installs it where it is missing.")
    ] = None,
) -> None:
    """Make the notebook that students get: stubs, test cells, no solutions."""
    from vitcourse.grading.run import assign as release

    say(f"wrote {release(lesson, out, own=course, repository=repository)}")


@app.command(epilog=example("vitcourse grade submissions --seed 'three green kites' --out grades.csv"))
@options_of(Limits)
def grade(
    given: dict,
    folder: Annotated[Path, typer.Argument(help="Submissions: STUDENT/any name.ipynb, or STUDENT.ipynb; zips too.")],
    seed: Annotated[str, typer.Option(help="Any text. It draws the inputs of the checks; keep it from the students.")],
    out: Annotated[Path, typer.Option(help="The table to write; gradebook and feedback go to a folder beside it.")],
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
    from vitcourse.grading.run import grade as grade_all

    limits = made(Limits, given)
    if no_isolation:
        console.print(
            "[bold yellow]no isolation:[/] submissions run with your rights and can read, change and send what you can",
            soft_wrap=True,
        )
    try:
        with progress("grading") as (step,):
            graded = grade_all(
                folder,
                seed,
                out,
                limits=limits,
                isolated=not no_isolation,
                jobs=jobs,
                late=late,
                rubric=rubric,
                own=course,
                progress=step,
            )
    except KeyboardInterrupt:
        say(f"broken off; {out} is written anew with each submission that is graded")
        raise
    for line in graded.problems:
        say(line)
    students = len({row.student for row in graded.rows})
    got, most = sum(row.points for row in graded.rows), sum(row.max_points for row in graded.rows)
    mean = f"a student has {got / students:.1f} of {most / students:.1f} points on average"
    say(f"graded {len(graded.pages)} submissions; {mean}")
    if graded.by_hand:
        say(f"{graded.by_hand} answers wait for points by hand")
    say(f"wrote {out} and {out.with_suffix('') / 'feedback'}")
    if graded.report:
        say(f"the class at a glance: {graded.report}")
