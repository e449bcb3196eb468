"""Directives are found where they stand, and a quiz or a card with a fault is refused in one line."""

import pytest

from tests.notebooks.sample import QUIZ
from vitcourse.errors import InputError
from vitcourse.notebooks.markup import Directive, blocks, parse_objectives, parse_quiz, split_options


def directives(text: str) -> list[Directive]:
    return [block for block in blocks(text) if isinstance(block, Directive)]


def test_a_directive_has_a_name_an_argument_options_and_a_body():
    text = "before\n:::{note} A title\n:class: tip\n:name: here\n\nfirst\n\nsecond\n:::\nafter"
    before, note, after = blocks(text)
    assert (before, after) == ("before", "after")
    assert note == Directive("note", "A title", {"class": "tip", "name": "here"}, ["first", "", "second"])


def test_an_outer_directive_holds_an_inner_one():
    (outer,) = directives("::::{grid}\n:::{note}\ninner\n:::\n::::")
    assert outer.name == "grid"
    assert outer.body == [":::{note}", "inner", ":::"]


@pytest.mark.parametrize("fence", ["```", "~~~", "````"])
def test_a_directive_in_a_code_fence_is_text(fence):
    assert directives(f"{fence}\n:::{{note}}\n{fence}") == []
    assert len(directives(f"{fence}\ncode\n{fence}\n:::{{note}}\n:::")) == 1


def test_a_shorter_fence_does_not_end_a_code_block():
    assert directives("````\n```\n:::{note}\n:::\n```\n````") == []


@pytest.mark.parametrize("rest", ["", "\ntext", "\n::", "\n\n", "\n```\n:::\n```\n:: :"])
def test_a_directive_that_does_not_end_is_named(rest):
    with pytest.raises(InputError, match=r"'::::\{note\} Title' does not end: :::: is missing"):
        list(blocks(f"::::{{note}} Title{rest}"))


@pytest.mark.parametrize(
    "text",
    [
        "- one\n  :::{note}\n  :::",
        "> :::{note}\n> :::",
        "    :::{note}\n    :::",
        ":::\n:::{note}\n:::",
        "::{note}\n::",
    ],
)
def test_what_is_no_directive_of_the_text_itself_stays_as_it_is(text):
    assert "\n".join(blocks(text)) == text


@pytest.mark.parametrize(
    "text",
    ["  :::{note} Title\n  body\n  :::::", "::: {note}   Title \nbody\n::: ", "said\n:::{note} Title\nbody\n:::\n"],
)
def test_a_directive_is_found_as_the_book_finds_it(text):
    assert directives(text) == [Directive("note", "Title", {}, ["body"])]


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_lines_may_end_in_any_way(end):
    assert list(blocks(f"one{end}:::{{note}}{end}two{end}:::{end}four")) == [
        "one",
        Directive("note", "", {}, ["two"]),
        "four",
    ]


def test_a_body_may_begin_without_options():
    assert split_options(["text", ":class: not an option"]) == ({}, ["text", ":class: not an option"])


def test_a_quiz_has_a_question_and_explained_answers():
    quiz = parse_quiz(QUIZ.splitlines()[1:-1])
    assert quiz.question.startswith("Three scores are $0$")
    assert [choice.right for choice in quiz.choices] == [False, True]
    assert quiz.choices[0].text == "One third: it is an average `mean`."
    assert quiz.choices[1].explanation == "The weights are $e^0 : e^0 : e^{10}$.\n\nAnd that is all."


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ("- [x] yes\n  why\n- [ ] no\n  why", "needs a question"),
        ("Question?\n- [x] yes\n  why", "at least two answers"),
        ("Question?\n- [ ] yes\n  why\n- [ ] no\n  why", "needs a right answer"),
        ("Question?\n- [x] yes\n  why\n- [x] no\n  why", "needs a right answer"),
        ("Question?\n- [x] yes\n  why\n- [ ] no", "'no' is not explained"),
    ],
)
def test_a_quiz_with_a_fault_is_refused(body, fault):
    with pytest.raises(InputError, match=fault):
        parse_quiz(body.splitlines())


def test_objectives_keep_their_order_and_their_lines():
    body = ["Text before.", "- **01.2** say why", "  it is so;", "- **01.1** compute it."]
    assert parse_objectives(body) == {"01.2": "say why\nit is so;", "01.1": "compute it."}


@pytest.mark.parametrize(
    ("body", "fault"),
    [(["- say why"], "needs objectives"), (["- **01.1** a", "- **01.1** b"], "01.1 stands twice")],
)
def test_a_card_with_a_fault_is_refused(body, fault):
    with pytest.raises(InputError, match=fault):
        parse_objectives(body)
