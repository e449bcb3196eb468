"""The directives of the course in Markdown text: where they begin and end, and what the bodies of two of them hold.

The book's Sphinx extension and the learner's copies read the same text, so both read it here. A directive is written
with colons, ``:::{name} argument``, and its body stays readable where it is not understood.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from markdown_it import MarkdownIt
from mdit_py_plugins.colon_fence import colon_fence_plugin

from vitcourse.errors import InputError

MARKDOWN = MarkdownIt("commonmark").use(colon_fence_plugin)
NEWLINE = re.compile(r"\r\n?|\n")  # as markdown-it counts lines
HEAD = re.compile(r"\{([^\s{}]+)\}\s*(.*)")
OPTION_LINE = re.compile(r"^:([\w-]+):\s*(.*?)\s*$")
CHOICE = re.compile(r"^[-*+] \[([ xX])\] +(.*)$")
OBJECTIVE = re.compile(r"^[-*+] \*\*(\d\d\.\d+)\*\*\s*(.*)$")


@dataclass
class Directive:
    """One directive: its name, the text behind the name, its options and the lines of its body."""

    name: str
    argument: str
    options: dict[str, str] = field(default_factory=dict)
    body: list[str] = field(default_factory=list)


@dataclass
class Choice:
    """One answer that a quiz offers; every answer is explained, the wrong ones too."""

    right: bool
    text: str
    explanation: str


@dataclass
class Quiz:
    question: str
    choices: list[Choice]


def blocks(text: str) -> Iterator[str | Directive]:
    """The lines and the outermost directives of a text, in order. What stands in a code fence is left alone.

    Raises:
        InputError: a directive that does not end.
    """
    lines, seen = NEWLINE.split(text), 0
    for token in MARKDOWN.parse(text):
        if token.type == "colon_fence" and token.level == 0 and (head := HEAD.match(token.info.strip())):
            start, end = token.map
            yield from lines[seen:start]
            if not re.fullmatch(rf"\s*{token.markup}:*\s*", lines[end - 1]):
                raise InputError(f"the directive {lines[start].strip()!r} does not end: {token.markup} is missing")
            yield Directive(head[1], head[2], *split_options(token.content.split("\n")))
            seen = end
    yield from lines[seen:]


def code_lines(text: str) -> set[int]:
    """The numbers of the lines of a text, from 0, that are code blocks with their fences."""
    tokens = [token for token in MARKDOWN.parse(text) if token.type in ("fence", "code_block")]
    return {number for token in tokens for number in range(*token.map)}


def split_options(body: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """The ``:name: value`` lines at the head of a body, and the rest of it without blank lines around."""
    options = {}
    start = 0
    while start < len(body) and (match := OPTION_LINE.match(body[start])):
        options[match[1]] = match[2]
        start += 1
    return options, "\n".join(body[start:]).strip("\n").splitlines()


def _items(body: Sequence[str], head: re.Pattern) -> tuple[list[str], list[tuple[re.Match, list[str]]]]:
    """The lines before a list, and each item of the list: its first line, and the lines below with less indent."""
    before: list[str] = []
    items: list[tuple[re.Match, list[str]]] = []
    for line in body:
        if match := head.match(line):
            items.append((match, []))
        elif items:
            items[-1][1].append(line.removeprefix("  "))
        else:
            before.append(line)
    return before, items


def parse_quiz(body: Sequence[str]) -> Quiz:
    """A question and its answers.

    Args:
        body: the question, then a list: ``- [x] the right answer`` or ``- [ ] another``, each with its explanation
            below, indented by two spaces.

    Raises:
        InputError: no question, fewer than two answers, none or all right, or an answer that is not explained.
    """
    before, items = _items(body, CHOICE)
    choices = [Choice(head[1] in "xX", head[2].strip(), "\n".join(rest).strip("\n")) for head, rest in items]
    question = "\n".join(before).strip()
    if not question:
        raise InputError("a quiz needs a question above its answers")
    if len(choices) < 2:
        raise InputError(f"a quiz needs at least two answers, '- [x] …' or '- [ ] …', and has {len(choices)}")
    if len({choice.right for choice in choices}) != 2:
        raise InputError("a quiz needs a right answer, '- [x] …', and a wrong one, '- [ ] …'")
    for choice in choices:
        if not choice.explanation:
            raise InputError(f"the answer {choice.text!r} is not explained: indent its explanation by two spaces")
    return Quiz(question, choices)


def parse_objectives(body: Sequence[str]) -> dict[str, str]:
    """The objectives of a lesson card: ``- **01.1** what the reader can do``, as text by id.

    Raises:
        InputError: no objective, or an id that comes twice.
    """
    _, items = _items(body, OBJECTIVE)
    objectives: dict[str, str] = {}
    for head, rest in items:
        if head[1] in objectives:
            raise InputError(f"objective {head[1]} stands twice on the card")
        objectives[head[1]] = "\n".join([head[2], *rest]).strip()
    if not objectives:
        raise InputError("a lesson card needs objectives, as '- **01.1** what the reader can do'")
    return objectives
