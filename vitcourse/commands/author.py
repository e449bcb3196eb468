"""Commands of those who carry on: skeletons of lessons and exercises, and an exercise shown whole."""

from typing import Annotated

import typer

from vitcourse.commands import command_group, example, say

app = command_group()
new = command_group("Write a skeleton: every file of an exercise or a lesson, with what is TO BE WRITTEN in it.")
attempt = command_group("Show a part of the course.")
app.add_typer(new, name="new")
app.add_typer(attempt, name="try")


@new.command(epilog=example("vitcourse new exercise 01_attention sharpen"))
def exercise(
    lesson: Annotated[str, typer.Argument(help="The folder of the lesson.")],
    name: Annotated[str, typer.Argument(help="The name of the exercise, and of the function that a learner writes.")],
) -> None:
    """Write the files of an exercise; all of them or none."""
    from vitcourse.commands import skeletons

    _written(skeletons.new_exercise(lesson, name))


@new.command(epilog=example("vitcourse new lesson 13_video"))
def lesson(lesson: Annotated[str, typer.Argument(help="Its number and its topic.")]) -> None:
    """Write the files of a lesson without exercises, and enter it into the contents; all of it or nothing."""
    from vitcourse.commands import skeletons

    _written(skeletons.new_lesson(lesson))


def _written(files: list) -> None:
    from vitcourse.commands.skeletons import ROOT

    for file in files:
        say(f"wrote {file.relative_to(ROOT)}")
    say("what to write in them: pytest tests/test_to_be_written.py")


@attempt.command("exercise", epilog=example("vitcourse try exercise attention.scores"))
def try_exercise(
    name: Annotated[str, typer.Argument(help="The exercise: TOPIC.NAME.")],
    seed: Annotated[str, typer.Option(help="Draws the inputs.")] = "0",
) -> None:
    """Show an exercise: its card, what its check draws, and what it says of the right answer and of each mistake."""
    from vitcourse.checks.trying import shown

    for line in shown(name, seed):
        say(line)
