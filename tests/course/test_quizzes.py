"""No quiz can be answered by its form: neither the place nor the length of an answer tells that it is right."""

from collections import Counter
from pathlib import Path

import nbformat
import pytest

from vitcourse.notebooks import lesson_notebooks
from vitcourse.notebooks.markup import Choice, Directive, Quiz, blocks, parse_quiz

ROOT = Path(__file__).parents[2]
MOST = 0.45  # of all quizzes that a rule may get right: of three answers, a guess gets one in three


def quizzes_of(path: Path) -> list[Quiz]:
    texts = [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "markdown"]
    parts = [part for text in texts for part in blocks(text)]
    return [parse_quiz(part.body) for part in parts if isinstance(part, Directive) and part.name == "quiz"]


QUIZZES = {path.stem: found for path in lesson_notebooks(ROOT) if (found := quizzes_of(path))}


def forms(quiz: Quiz) -> set[str]:
    """What is seen of the right answer without reading it; with another of the same length, a rule cannot name it."""
    (place,) = (number for number, choice in enumerate(quiz.choices) if choice.right)
    lengths = [len(choice.text) for choice in quiz.choices]
    own, last = lengths[place], len(lengths) - 1
    seen = {"first" if place == 0 else "last" if place == last else "in the middle"}
    if lengths.count(own) == 1:
        seen.add("longest" if own == max(lengths) else "shortest" if own == min(lengths) else "of middle length")
    return seen


def rules(quizzes: list[Quiz], most: float) -> dict[str, float]:
    """The rules that get more than ``most`` of the quizzes right, with the share that they get."""
    counted = Counter(form for quiz in quizzes for form in forms(quiz))
    return {form: number / len(quizzes) for form, number in counted.items() if number > most * len(quizzes)}


def test_no_rule_answers_the_quizzes_of_the_course():
    quizzes = [quiz for found in QUIZZES.values() for quiz in found]
    assert len(quizzes) >= 36
    assert rules(quizzes, MOST) == {}


@pytest.mark.parametrize("name", QUIZZES)
def test_no_rule_answers_the_quizzes_of_a_lesson(name):
    """In a lesson, at most three of five, and two of two or three."""
    assert rules(QUIZZES[name], max(0.6, 2 / len(QUIZZES[name]))) == {}


@pytest.mark.parametrize("name", QUIZZES)
def test_a_quiz_has_one_right_answer_among_three_or_more(name):
    for quiz in QUIZZES[name]:
        assert len(quiz.choices) >= 3, quiz.question
        assert sum(choice.right for choice in quiz.choices) == 1, quiz.question


def quiz(right: int, *lengths: int) -> Quiz:
    return Quiz("?", [Choice(number == right, "x" * length, "because") for number, length in enumerate(lengths)])


@pytest.mark.parametrize(
    ("given", "seen"),
    [
        (quiz(0, 9, 5, 7), {"first", "longest"}),
        (quiz(1, 9, 5, 7), {"in the middle", "shortest"}),
        (quiz(2, 9, 5, 7), {"last", "of middle length"}),
        (quiz(2, 7, 5, 7), {"last"}),
    ],
)
def test_the_form_of_an_answer(given, seen):
    assert forms(given) == seen


def test_a_rule_is_told():
    guessed = [quiz(1, 4, 9, 5), quiz(1, 5, 9, 4), quiz(1, 5, 4, 9), quiz(0, 5, 4, 9)]
    assert rules(guessed, MOST) == {"in the middle": 0.75, "longest": 0.5}
    assert rules([quiz(0, 9, 5, 7), quiz(1, 9, 5, 7), quiz(2, 9, 5, 7)], MOST) == {}
