"""Answers that agree more than by chance."""

import ast
import importlib
import inspect
import math
import random
import textwrap

from vitcourse.exercises import CATALOGUE
from vitcourse.grading.alike import LEVELS, alike, tree

SMALL = [name for name, card in CATALOGUE.items() if card.lesson == "02_multi_head"]

EXERCISES = [f"attention.{number}" for number in range(6)]
FORMS = [
    "return query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])",
    "return (query @ key.mT).div(query.shape[-1] ** 0.5)",
    "return torch.einsum('...qd,...kd->...qk', query, key) * query.size(-1) ** -0.5",
    "width = key.shape[-1]\n    return torch.matmul(query / width**0.25, (key / width**0.25).transpose(-1, -2))",
    "scores = torch.zeros(len(query), len(key))\n    for i in range(len(query)):\n        scores[i] = key @ query[i]\n"
    "    return scores / math.sqrt(len(query[0]))",
    "return torch.bmm(query[None], key[None].permute(0, 2, 1))[0] / key.shape[1] ** 0.5",
]


def answer(form, number, name="scores"):
    return f"def {name}(query, key):\n    {FORMS[form]}  # {number}"


def class_of(size, seed=0):
    """Students who work alone: each form of each exercise is drawn."""
    drawn = random.Random(seed)
    return {
        f"student {number}": {exercise: answer(drawn.randrange(len(FORMS)), number) for exercise in EXERCISES}
        for number in range(size)
    }


def test_who_works_alone_is_seldom_named():
    assert sum(bool(alike(class_of(30, seed))) for seed in range(16)) <= 2, "about one class in eight"


class Renamed(ast.NodeTransformer):
    """Gives other names to what a function calls its own."""

    def __init__(self, function):
        names = [node.arg for node in ast.walk(function) if isinstance(node, ast.arg)]
        names += [
            node.id for node in ast.walk(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        ]
        self.names = {name: f"mine_{number}" for number, name in enumerate(dict.fromkeys(names))}

    def visit_Name(self, node):
        return ast.Name(self.names.get(node.id, node.id), node.ctx)

    def visit_arg(self, node):
        return ast.arg(self.names.get(node.arg, node.arg))


def from_the_bank(draw):
    """One student's answers to a lesson, drawn from the bank: a quarter of them is wrong."""
    found = {}
    for exercise in SMALL:
        bank = importlib.import_module(f"tests.checks.bank.{exercise.replace('.', '_')}").BANK
        rights, wrongs = bank.rights, [function for _, function, *_ in bank.wrongs]
        found[exercise] = textwrap.dedent(inspect.getsource(draw.choice(wrongs if draw.random() < 0.25 else rights)))
    return found


def test_in_a_small_class_copies_are_found_and_honest_work_is_left_alone():
    """As the guide says. A copy has other names and no comments."""
    listed = pairs = found = 0
    for seed in range(20):
        draw = random.Random(seed)
        answers = {f"student {number}": from_the_bank(draw) for number in range(draw.randint(5, 8))}
        listed, pairs = listed + len(alike(answers)), pairs + math.comb(len(answers), 2)
        trees = {exercise: ast.parse(source) for exercise, source in answers["student 0"].items()}
        answers["student 1"] = {exercise: ast.unparse(Renamed(one).visit(one)) for exercise, one in trees.items()}
        found += any(pair.students == ("student 0", "student 1") for pair in alike(answers))
    assert listed <= pairs / 50
    assert found >= 0.8 * 20


def test_a_copy_is_found_whatever_its_names_and_comments_are():
    answers = class_of(30)
    answers["eve"] = {
        exercise: source.replace("query", "q").replace("key", "k").partition("  #")[0]
        for exercise, source in answers["student 7"].items()
    }
    (pair,) = alike(answers)
    assert pair.students == ("eve", "student 7")
    assert pair.exercises == {LEVELS[1]: pair.exercises[LEVELS[1]]}
    assert sorted(pair.exercises[LEVELS[1]]) == EXERCISES


def test_the_same_text_is_named_as_that():
    answers = class_of(30)
    answers["eve"] = answers["student 7"]
    (pair,) = alike(answers)
    assert set(pair.exercises) == {LEVELS[0]}


def test_what_half_of_the_class_writes_counts_as_nothing():
    assert alike({f"student {number}": dict.fromkeys(EXERCISES, answer(0, 0)) for number in range(30)}) == []


def test_an_answer_with_one_more_line_is_nearly_the_same():
    long = "def f(x):\n" + "".join(f"    x = x * {number} + x.sum({number})\n" for number in range(9)) + "    return x"
    other = long.replace("    return x", "    print(x)\n    return x")
    answers = class_of(30)
    for student, source in (("eve", long), ("mallory", other)):
        answers[student] = dict.fromkeys(EXERCISES, source)
    (pair,) = alike(answers)
    assert set(pair.exercises) == {LEVELS[2]}


def test_names_of_a_library_are_part_of_the_tree_and_ones_own_are_not():
    assert tree("def f(a):\n    '''Words.'''\n    b = torch.exp(a)  # why\n    return b") == tree(
        "def f(x):\n    y = torch.exp(x)\n    return y"
    )
    assert tree("y = torch.exp(x)") != tree("y = torch.log(x)")


def test_what_is_no_python_is_compared_as_lines():
    assert tree("def f(:\n\n  1") == ("def f(:", "1")


def test_a_class_of_none_or_one_has_no_pairs():
    assert alike({}) == alike({"anna": {"a": "x = 1"}}) == []
