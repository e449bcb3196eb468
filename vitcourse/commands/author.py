"""Commands of those who carry on: skeletons of lessons and exercises, an exercise shown whole, weights for pages."""

from pathlib import Path
from typing import Annotated

import typer

from vitcourse.commands import command_group, example, say
from vitcourse.commands.options import OwnCourse
from vitcourse.errors import InputError

app = command_group()
new = command_group("Write a skeleton: every file of an exercise or a lesson, with what is TO BE WRITTEN in it.")
attempt = command_group("Show a part of the course.")
app.add_typer(new, name="new")
app.add_typer(attempt, name="try")


@new.command(epilog=example("vitcourse new exercise 01_attention sharpen"))
def exercise(
    lesson: Annotated[str, typer.Argument(help="The folder of the lesson.")],
    name: Annotated[str, typer.Argument(help="The name of the exercise, and of the function that a learner writes.")],
    course: OwnCourse = None,
    words: Annotated[
        bool, typer.Option("--words", help="A question that is answered in words (with --course).")
    ] = False,
) -> None:
    """Write the files of an exercise; all of them or none."""
    from vitcourse.commands import skeletons

    if words and course is None:
        raise InputError("questions that are answered in words belong to a folder of your own: name it by --course")
    if words:
        _written(skeletons.new_question(lesson, name, course), course)
    else:
        _written(skeletons.new_exercise(lesson, name, own=course), course)


@new.command(epilog=example("vitcourse new lesson 13_video"))
def lesson(lesson: Annotated[str, typer.Argument(help="Its number and its topic.")]) -> None:
    """Write the files of a lesson without exercises, and enter it into the contents; all of it or nothing."""
    from vitcourse.commands import skeletons

    _written(skeletons.new_lesson(lesson))


@app.command(epilog=example("vitcourse script sign-model.js"))
def script(
    out: Annotated[Path, typer.Argument(help="The file to write; pages ask for it under the name sign-model.js.")],
) -> None:
    """Write the weights of the sign model, in 8 bits, as the script that a page of the book loads."""
    from vitcourse.files import write_whole
    from vitcourse.recipes.asl_finetuning.sign_backbone import hand_model
    from vitcourse.recipes.asl_finetuning.sign_pictures import script as sign_script

    content = sign_script(hand_model()).encode()
    write_whole(out, content)
    say(f"wrote {out} ({len(content) / 1e6:.1f} MB)")


def _written(files: list[Path], own: Path | None = None) -> None:
    from vitcourse.commands.skeletons import ROOT

    for file in files:
        say(f"wrote {file if own else file.relative_to(ROOT)}")
    where = "the lines that say TO BE WRITTEN" if own else "pytest tests/test_to_be_written.py"
    say(f"what to write in them: {where}")


@attempt.command("exercise", epilog=example("vitcourse try exercise attention.scores"))
def try_exercise(
    name: Annotated[str, typer.Argument(help="The exercise: TOPIC.NAME.")],
    seed: Annotated[str, typer.Option(help="Draws the inputs.")] = "0",
    course: OwnCourse = None,
) -> None:
    """Show an exercise: its card, what its check draws, what it says of each mistake. Then try its bank of answers."""
    from vitcourse import checks
    from vitcourse.checks.trying import faults, shown
    from vitcourse.commands.skeletons import bank_of

    if course:
        checks.add(course)
    for line in shown(name, seed):
        say(line)
    bank = bank_of(name, course)
    if not bank.exists():
        say(f"its bank of answers is not here: {bank}")
        return
    amiss = faults(name, bank)
    for line in amiss:
        say(line)
    say(f"{bank.name}: {len(amiss)} amiss" if amiss else f"{bank.name}: all answers are judged as they should be")
    if amiss:
        raise typer.Exit(1)
