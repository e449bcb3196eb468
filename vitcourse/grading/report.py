"""The class on one page: points, mistakes, who needs help, what to talk about; a file that fetches nothing.

The page is for the instructor. It is made from the table and the folder of grades, and can be made again at any time.
"""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader

from vitcourse.errors import one_line
from vitcourse.exercises import CATALOGUE
from vitcourse.files import write_whole
from vitcourse.grading.alike import alike
from vitcourse.grading.grades import Row
from vitcourse.grading.master import COURSE
from vitcourse.grading.outputs import listed
from vitcourse.grading.papers import NOTHING, Paper, read_papers
from vitcourse.grading.submissions import NOT_GRADED

NAME = "report.html"
NO_MISTAKE = (*NOTHING, NOT_GRADED, "not-implemented", "not-defined", "")
# Mistakes of many kinds, which a class cannot talk about as one.
NO_TOPIC = ("raises", "endless-loop", "forbidden-call", "wrong-arguments", "wrong-values")
HELP = 0.5  # the part of the points below which a student is listed
DISCUSSED, PAIRS, LINES = 3, 30, 15  # mistakes to talk about, pairs, and lines of an example that are shown
OPEN = 12  # mistakes that are not folded away
BINS = 10
SECTION = re.compile(r"\bsections? “([^”]+)”")
HEADING, OBJECTIVE = re.compile(r"^#{2,4} +(.+)$"), re.compile(r"\{objective\}`([\d.]+)`")


@dataclass(frozen=True)
class Mistake:
    """A mistake that a check has named.

    Args:
        exercise: id.
        name: of the misconception.
        papers: the work that has it.
        where: the lesson's section that heals it, in words.
    """

    exercise: str
    name: str
    papers: list[Paper]
    where: str

    @property
    def title(self) -> str:
        return _title(self.exercise)

    @property
    def sentence(self) -> str:
        """The first sentence of the check's message: what is wrong."""
        return re.split(r"(?<=[.!?]) ", _message(self.exercise, self.name), maxsplit=1)[0]

    @property
    def example(self) -> str:
        """The beginning of the shortest answer that has it."""
        sources = [text for paper in self.papers if (text := paper.answers.get(self.exercise))]
        lines = min(sources, key=len, default="").strip().splitlines()
        return "\n".join(lines[:LINES] + ["[…]"] * (len(lines) > LINES))

    @property
    def names(self) -> str:
        return f"{listed([paper.name for paper in self.papers])}."


@dataclass(frozen=True)
class Bar:
    """How the class did in one exercise: numbers of students, and the mean part of the points in percent."""

    title: str
    right: int
    partly: int
    wrong: int
    nothing: int
    percent: int


def class_page(
    root: Path, table: Iterable[Row], names: Mapping[str, str], course: Path = COURSE
) -> tuple[Path | None, list[str]]:
    """Writes the page, or says why there is none: the table and the students' pages are worth more.

    Args and returns: as for `write_report`; with what the instructor should know.
    """
    try:
        return write_report(root, table, names, course), []
    except Exception as error:
        return None, [f"the page about the class could not be made ({one_line(error)})"]


def write_report(root: Path, table: Iterable[Row], names: Mapping[str, str], course: Path = COURSE) -> Path:
    """Writes the page into the folder of grades.

    Args:
        root: the folder of grades.
        table: its rows.
        names: of students, as far as they are told, by what the table calls them.
        course: the folder that holds ``lessons/``.
    """
    papers = read_papers(root, table, names)
    mistakes = _mistakes(papers, course)
    lessons = {
        lesson: [paper for paper in papers if paper.lesson == lesson] for lesson in sorted({p.lesson for p in papers})
    }
    environment = Environment(loader=FileSystemLoader(Path(__file__).with_name("templates")), autoescape=True)
    environment.filters |= {"address": quote, "number": "{:g}".format, "code": _code, "title_of": _title}
    text = environment.get_template("report.html.j2").render(
        students=len({paper.student for paper in papers}),
        lessons={lesson: _lesson(work) for lesson, work in lessons.items()},
        mistakes=mistakes,
        open=OPEN,
        discuss=[one for one in mistakes if len(one.papers) > 1 and one.name not in NO_TOPIC][:DISCUSSED],
        help=_help(papers),
        stopped=[paper for paper in papers if paper.troubles or paper.endless],
        pairs=[(lesson, *_pairs(work)) for lesson, work in lessons.items()],
        odd=[paper for paper in papers if paper.hints],
    )
    write_whole(root / NAME, text.encode())
    return root / NAME


def _lesson(papers: list[Paper]) -> dict:
    """What the charts of one lesson show."""
    work = [paper for paper in papers if paper.handed_in]
    rows: dict[str, list[Row]] = defaultdict(list)
    for paper in papers:
        for row in paper.rows:
            if row.max_points:  # not what lateness takes off
                rows[row.exercise].append(row)
    bins = Counter(min(BINS - 1, max(0, int(BINS * paper.points / (paper.most or 1)))) for paper in work)
    return {
        "handed_in": len(work),
        "all": len(papers),
        "most": max(paper.most for paper in papers),
        "mean": round(mean([paper.points for paper in work] or [0]), 1),
        "median": round(median([paper.points for paper in work] or [0]), 1),
        "bins": [bins[number] for number in range(BINS)],
        "bars": [_bar(exercise, found) for exercise, found in rows.items()],
    }


def _bar(exercise: str, rows: list[Row]) -> Bar:
    work = [row for row in rows if row.misconception not in NOTHING]
    right = sum(row.points >= row.max_points for row in work)
    wrong = sum(row.points <= 0 < row.max_points for row in work)
    share = mean([row.points / (row.max_points or 1) for row in work] or [0])
    return Bar(_title(exercise), right, len(work) - right - wrong, wrong, len(rows) - len(work), round(100 * share))


def _mistakes(papers: list[Paper], course: Path) -> list[Mistake]:
    """The mistakes, the most frequent first."""
    found: dict[tuple[str, str], list[Paper]] = defaultdict(list)
    for paper in papers:
        for row in paper.rows:
            if row.misconception not in NO_MISTAKE:
                found[row.exercise, row.misconception].append(paper)
    sections = {lesson: _sections(course, lesson) for lesson in {paper.lesson for paper in papers}}
    most_first = sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))
    return [
        Mistake(exercise, name, work, _where(exercise, name, sections[work[0].lesson]))
        for (exercise, name), work in most_first
    ]


def _where(exercise: str, name: str, sections: dict[str, list[str]]) -> str:
    """The section that the check's message names, else those that work towards the exercise's objective."""
    card = CATALOGUE.get(exercise)
    if card is None:
        return ""
    names = SECTION.findall(_message(exercise, name)) or sections.get(card.objective, [])
    words = " and ".join(f"“{section}”" for section in dict.fromkeys(names))
    return f"lesson {card.lesson.partition('_')[0]}{', section ' if words else ''}{words}"


def _sections(course: Path, lesson: str) -> dict[str, list[str]]:
    """The headings of a lesson's sections, by the objective that they name."""
    found: dict[str, list[str]] = defaultdict(list)
    for file in sorted((course / "lessons" / lesson).glob("*.ipynb")):
        heading = ""
        for cell in json.loads(file.read_text(encoding="utf-8"))["cells"]:
            for line in "".join(cell["source"]).splitlines() if cell["cell_type"] == "markdown" else ():
                heading = match[1].strip() if (match := HEADING.match(line)) else heading
                for objective in OBJECTIVE.findall(line):
                    found[objective].append(heading)
    return found


def _help(papers: list[Paper]) -> list[tuple[str, float, float, list[Paper]]]:
    """Students with less than half of the points, or without a notebook: name, points, most, work; the least first."""
    work: dict[str, list[Paper]] = defaultdict(list)
    for paper in papers:
        work[paper.student].append(paper)
    sums = [(own[0].name, sum(p.points for p in own), sum(p.most for p in own), own) for own in work.values()]
    listed = [one for one in sums if one[1] < HELP * one[2] or not all(paper.handed_in for paper in one[3])]
    return sorted(listed, key=lambda one: one[1] / (one[2] or 1))


def _pairs(papers: list[Paper]) -> tuple[list, int]:
    """The pairs that are shown, and how many more there are."""
    pairs = alike({paper.name: paper.answers for paper in papers if paper.answers})
    return pairs[:PAIRS], max(0, len(pairs) - PAIRS)


def _title(exercise: str) -> str:
    card = CATALOGUE.get(exercise)
    return card.title if card else exercise


def _message(exercise: str, name: str) -> str:
    card = CATALOGUE.get(exercise)
    return card.misconceptions.get(name, name) if card else name


def _code(words: str) -> list[tuple[bool, str]]:
    """Words between backquotes, which are code, and those between them: ``(is code, text)``."""
    return [(bool(place % 2), text) for place, text in enumerate(words.split("`")) if text]
