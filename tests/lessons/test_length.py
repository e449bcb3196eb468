"""A lesson is read in one sitting: its running text has 3,000 words at most, 14 code cells stand open, and its card
says how many minutes that takes.
"""

import re

import nbformat
import pytest

from tests.helpers import ROOT, unwritten
from vitcourse.notebooks import lesson_notebooks
from vitcourse.notebooks.markup import blocks

MOST_WORDS, MOST_CELLS = 3000, 14
PAPERS = "## Where it stands in the papers"
LESSONS = {
    path.stem: path
    for path in lesson_notebooks(ROOT)
    if not path.stem.endswith("_exercises") and path.relative_to(ROOT).as_posix() not in unwritten(ROOT)
}
# No words of a reader: formulas that stand alone, and roles, such as citations.
NOT_READ = re.compile(r"\$\$.*?\$\$|\{[\w:]+\}`[^`]*`", re.DOTALL)
WORD = re.compile(r"\S*[^\W_]\S*")


def words(text: str) -> int:
    """Words of running text in one cell: no card, quiz or folded passage, and no list of papers."""
    text = text.partition(PAPERS)[0]
    running = "\n".join(line for line in blocks(text) if isinstance(line, str))
    return len(WORD.findall(NOT_READ.sub(" ", running)))


@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_can_be_read_in_one_sitting(name):
    cells = nbformat.read(LESSONS[name], as_version=4).cells
    read = sum(words(cell.source) for cell in cells if cell.cell_type == "markdown")
    assert read <= MOST_WORDS
    tags = [cell.metadata.get("tags", []) for cell in cells if cell.cell_type == "code"]
    assert sum("hide-input" not in own for own in tags) <= MOST_CELLS


@pytest.mark.parametrize("name", LESSONS)
def test_the_card_says_how_long_it_takes(name):
    """200 words or 12 open lines of code a minute, half a minute for each prediction and quiz, to the nearest five."""
    cells = nbformat.read(LESSONS[name], as_version=4).cells
    text = [cell.source for cell in cells if cell.cell_type == "markdown"]
    stated = re.search(r"^:minutes: (\d+)$", "\n".join(text), re.MULTILINE)
    if stated is None:
        assert ":::{lesson-card}" not in "\n".join(text)
        return
    code = [cell for cell in cells if cell.cell_type == "code" and "hide-input" not in cell.metadata.get("tags", [])]
    lines = sum(bool(line.strip()) for cell in code for line in cell.source.splitlines())
    asked = sum(cell.count("**Predict") + cell.count(":::{quiz}") for cell in text)
    minutes = sum(map(words, text)) / 200 + lines / 12 + asked / 2
    assert int(stated[1]) == 5 * round(minutes / 5)


def test_what_counts_as_a_word():
    assert words("## Two words\n\nA $\\frac12$ is {cite}`some2020` one of | 3 |.") == 8
    assert words("one\n\n$$\nx = 1\n$$\n\ntwo") == 2
    assert words(":::{quiz}\nHow many?\n\n- [x] None.\n:::\n\n:::{dropdown} For engineers\nLong.\n:::\n\nlast") == 1
    assert words(f"one\n\n{PAPERS}\n\n- A long list.") == 1
