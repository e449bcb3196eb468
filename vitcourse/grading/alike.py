"""Submissions whose answers agree more than those of people who work alone: a hint for a person, never points.

A right answer of three lines has few forms, and most of a class writes the same one: that two agree in it says nothing.
So an agreement counts by how rare it is among the others. If m of N submissions have it, one more would have it with
the probability (m - 2 + 1/2) / (N - 2 + 1), by the N - 2 others (Krichevsky, Trofimov 1981): that is worth its
logarithm in bits. The bits of a pair's answers add up, and each answer in which the two do not agree takes some off.
What counts as an agreement is, for each answer, the closest of three: the same text (names and comments kept), the same
tree (names of the student's own taken off, comments and docstrings too), or nearly the same tree (three quarters of its
pieces; Schleimer, Wilkerson, Aiken 2003, compare documents by such pieces). The stub that was handed out is no answer.
"""

import ast
import math
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

from vitcourse.grading.statements import statements

PIECE, LONGEST = 4, 2000  # nodes in a row; of an answer that is compared in pieces
NEAR = 0.75  # shared pieces by all pieces of both
APART = 2  # bits that an answer takes off in which two do not agree
CHANCE = 3  # where all work alone, about one class in 2**CHANCE shows a pair
LEVELS = ("the same text", "the same but for names", "nearly the same")


@dataclass(frozen=True)
class Pair:
    """Two who agree.

    Args:
        students: their names.
        bits: what their agreement is worth.
        exercises: those that they agree in, by how closely.
    """

    students: tuple[str, str]
    bits: float
    exercises: dict[str, list[str]]


def alike(answers: Mapping[str, Mapping[str, str]]) -> list[Pair]:
    """The pairs that agree in more than chance gives, the closest first.

    Args:
        answers: source by exercise, by student; of one assignment, without untouched stubs.
    """
    bits: dict[tuple[str, str], float] = Counter()
    found, usual = defaultdict(lambda: defaultdict(list)), defaultdict(list)
    for exercise in dict.fromkeys(exercise for one in answers.values() for exercise in one):
        sources = {student: one[exercise] for student, one in answers.items() if exercise in one}
        for level, group in _groups(sources):
            worth = math.log2((len(sources) - 1) / (len(group) - 1.5))
            if worth < 1:
                # What more than half of the class agrees in says nothing, and makes very many pairs.
                usual[exercise].append(group)
                continue
            for pair in combinations(sorted(group), 2):
                if not any(exercise in names for names in found[pair].values()):
                    found[pair][level].append(exercise)
                    bits[pair] += worth
    for pair in bits:
        agreed = {exercise for names in found[pair].values() for exercise in names}
        for exercise in (answers[pair[0]].keys() & answers[pair[1]].keys()) - agreed:
            bits[pair] -= 0 if any(group.issuperset(pair) for group in usual[exercise]) else APART
    enough = math.log2(max(1, math.comb(len(answers), 2))) + CHANCE
    return [Pair(pair, worth, dict(found[pair])) for pair, worth in bits.most_common() if worth >= enough]


def _groups(sources: Mapping[str, str]) -> list[tuple[str, set[str]]]:
    """Those who agree in one answer, the closest agreements first."""
    by_text, by_tree = defaultdict(set), defaultdict(set)
    for student, source in sources.items():
        by_text[" ".join(source.split())].add(student)
        by_tree[tree(source)].add(student)
    pieces = {nodes: {nodes[at : at + PIECE] for at in range(max(1, len(nodes) - PIECE + 1))} for nodes in by_tree}
    near = {nodes: set(students) for nodes, students in by_tree.items()}
    for one, other in combinations([nodes for nodes in by_tree if len(nodes) <= LONGEST], 2):
        shared = len(pieces[one] & pieces[other])
        if shared >= NEAR * (len(pieces[one]) + len(pieces[other]) - shared):
            near[one] |= by_tree[other]
            near[other] |= by_tree[one]
    levels = (by_text.values(), by_tree.values(), near.values())
    return [(name, group) for name, groups in zip(LEVELS, levels, strict=True) for group in groups if len(group) > 1]


def tree(source: str) -> tuple[str, ...]:
    """An answer's nodes in the order of the text, without names of its own, comments and docstrings.

    What cannot be read as Python is its lines.
    """
    body = statements(source)
    if body is None:
        return tuple(line.strip() for line in source.splitlines() if line.strip())
    own = {node.id for top in body for node in ast.walk(top) if isinstance(node, ast.Name) and _stores(node)}
    own |= {node.arg for top in body for node in ast.walk(top) if isinstance(node, ast.arg)}
    return tuple(word for top in body for word in _words(top, own))


def _stores(node: ast.Name) -> bool:
    return not isinstance(node.ctx, ast.Load)


def _words(node: ast.AST, own: set[str]) -> list[str]:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return []
    words = [type(node).__name__]
    if isinstance(node, ast.Name):
        words = ["own" if node.id in own else node.id]
    elif isinstance(node, ast.Constant):
        words = [repr(node.value)]
    elif isinstance(node, ast.Attribute):
        words = [node.attr]
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.expr_context):
            words += _words(child, own)
    return words
