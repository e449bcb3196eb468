"""`vitcourse try exercise`: what a bank of answers shows to be amiss."""

import pytest

from vitcourse.checks.trying import faults
from vitcourse.errors import InputError

HEAD = """\
import math

from vitcourse.checks.engine.bank import Bank

BANK = Bank("attention.scores", seeds=2)

@BANK.right
def right(query, key):
    return query @ key.mT / math.sqrt(query.shape[-1])

BANK.right(lambda query, key: query @ key.mT * query.shape[-1] ** -0.5)
"""


@pytest.fixture
def found(tmp_path):
    def found(text):
        (tmp_path / "bank.py").write_text(text, encoding="utf-8")
        return faults("attention.scores", tmp_path / "bank.py")

    return found


def test_every_mistake_without_an_answer_and_every_answer_with_another_result_is_named(found):
    lines = found(
        HEAD
        + "BANK.wrong('not-scaled')(lambda query, key: query @ key.mT)\n"
        + "BANK.wrong('transposed')(lambda query, key: query @ key.mT)\n"
        + "BANK.wrong('cosine')(right)\n"
        + "BANK.right(lambda query, key: query @ key.mT)\n"
    )
    assert "distance: no answer of the bank makes this mistake" in lines
    assert not [line for line in lines if line.startswith("not-scaled:")]
    judged = [line for line in lines if " should be " in line and "no answer" not in line]
    assert [line.partition(", and with")[0] for line in judged] == [
        "<lambda> (line 15) should be right",
        "<lambda> (line 13) should be transposed",
        "right (line 7) should be cosine",
    ]
    assert judged[1].partition("is ")[2].startswith("not-scaled: ")
    assert judged[2].endswith("is passes")


def test_one_right_answer_is_too_few(found):
    assert "the bank has 1 right answer: two that are written differently" in found(HEAD.rpartition("BANK.right")[0])[0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", r"bank\.py: it should define BANK = Bank\('attention\.scores'\)"),
        ("BANK = 3", "it should define BANK"),
        (HEAD.replace("attention.scores", "attention.softmax"), "it should define BANK"),
        ("1 / 0", r"bank\.py: ZeroDivisionError: division by zero"),
        ("def", r"bank\.py: SyntaxError"),
    ],
)
def test_what_is_no_bank_is_named(found, text, words):
    with pytest.raises(InputError, match=words):
        found(text)
