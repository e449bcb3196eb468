"""What Jupyter shows of a cell that the book writes with directives: plain Markdown, with everything still there."""

import pytest

from tests.notebooks.sample import QUIZ, exercise
from vitcourse.errors import InputError
from vitcourse.notebooks.plain import plain_markdown as plain


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{objective}`01.2` Why?", "*(objective 01.2)* Why?"),
        ("As {cite}`vaswani2017` say", "As (Vaswani 2017) say"),
        ("{cite:p}`vaswani2017,dao2022`", "(Vaswani 2017; Dao 2022)"),
        ("{cite}`zhang2020adaptive, he2016a`", "(Zhang 2020, adaptive; He 2016a)"),
        ("see {ref}`the setup <real-data>`", "see the setup"),
        ("see {numref}`fig-one`", "see `fig-one`"),
        ("{math}`x^2`", "$x^2$"),
        ("(a-label)=\n## Title", "## Title"),
        ("`{cite}` stays", "`{cite}` stays"),
    ],
)
def test_roles_become_words(text, expected):
    assert plain(text) == expected


@pytest.mark.parametrize(
    "code",
    [
        "```\n{cite}`key2017`\n(label)=\n```",
        "~~~ text\n{cite}`key2017`\n~~~",
        "````\n```\n{cite}`key2017`\n````",
        "```\n~~~\n{cite}`key2017`\n```",
        "- list\n  ```\n  {cite}`key2017`\n  ```",
    ],
)
def test_in_code_a_role_and_a_label_mean_themselves(code):
    assert plain(f"{code}\n\n{{cite}}`key2017`") == f"{code}\n\n(Key 2017)"


def test_a_dropdown_folds_in_every_notebook_program():
    assert plain(":::{dropdown} Hint about `@` & <b>\n:open:\n\n$x$ and {cite}`dao2022`\n:::") == (
        "<details>\n<summary>Hint about <code>@</code> &amp; &lt;b&gt;</summary>\n\n$x$ and (Dao 2022)\n\n</details>\n"
    )


def test_layout_leaves_its_content():
    assert plain("::::{div} lead\n:::{note}\ninner\n:::\n::::") == "> **Note**\n>\n> inner"


def test_a_note_keeps_its_title():
    assert plain(":::{admonition} Careful\n:class: tip\ntext\n:::") == "> **Careful**\n>\n> text"


def test_an_exercise_card_says_what_is_known_and_what_is_forbidden(monkeypatch):
    known = {"topic.one": exercise(forbidden=("vitcourse", "torch.nn.MultiheadAttention"))}
    monkeypatch.setattr("vitcourse.notebooks.plain.find_exercise", known.__getitem__)
    facts, _, rule = plain(":::{exercise-card} topic.one\n:::").splitlines()
    assert facts == "> Objective **01.1** · difficulty **medium** · time **10 minutes** · points **4**"
    assert rule == "> Your code may not call `vitcourse` or `nn.MultiheadAttention`."


def test_an_unknown_exercise_is_named():
    with pytest.raises(InputError, match=r"no exercise 'topic\.two'.*attention\.scores"):
        plain(":::{exercise-card} topic.two\n:::")


def test_a_lesson_card_keeps_objectives_needs_and_minutes():
    text = plain(
        ":::{lesson-card}\n:needs: the `@`\n:minutes: 25\n\n- **01.1** add;\n- **01.2** multiply\n  twice.\n:::"
    )
    for part in ("> - **01.1** add;", "> - **01.2** multiply\n>   twice.", "**You need** the `@`", "about 25 minutes"):
        assert part in text


def test_a_quiz_hides_each_verdict_until_it_is_opened():
    text = plain(QUIZ)
    assert text.startswith("**Three scores are $0$, $0$ and $10$.")
    assert text.count("<details>") == text.count("</details>") == 2
    wrong, right = text.split("<details>")[1:]
    assert "<summary>One third: it is an average <code>mean</code>.</summary>\n\n**Not right.** It is a" in wrong
    assert "<summary>Nearly all of it.</summary>\n\n**Right.** The weights are $e^0" in right
    assert "And that is all." in right
