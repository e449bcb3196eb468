"""Lessons as plain Markdown: what Jupyter, Colab and GitHub show of a notebook that the book writes with directives."""

import re

from vitcourse.exercises import find_exercise
from vitcourse.notebooks.markup import Directive, blocks, code_lines, parse_objectives, parse_quiz

ROLE = re.compile(r"\{([\w:-]+)\}`([^`]+)`")
TITLED_TARGET = re.compile(r"^(.*?)\s*<[^<>]+>$", re.DOTALL)
CITATION_KEY = re.compile(r"^([a-z]+)(\d{4}(?:[a-z](?![a-z0-9]))?)([a-z0-9]*)$")  # a name, a year, perhaps a word
LABEL_LINE = re.compile(r"^\([\w-]+\)=$")
# Directives that only lay out what they hold.
LAYOUT = {"div", "grid", "grid-item", "container", "margin", "aside"}


def plain_markdown(text: str) -> str:
    """A cell's Markdown with every directive and role of the book written out."""
    parts = [_expand(part) if isinstance(part, Directive) else part for part in blocks(text)]
    expanded = "\n".join(parts)
    code, lines = code_lines(expanded), []  # where a brace and a backtick mean themselves
    for number, line in enumerate(expanded.split("\n")):
        if number in code or not LABEL_LINE.match(line):
            lines.append(line if number in code else ROLE.sub(_plain_role, line))
    return "\n".join(lines)


def _plain_role(match: re.Match) -> str:
    name, content = match[1], match[2]
    if name == "objective":
        return f"*(objective {content})*"
    if name.startswith("cite"):
        return f"({'; '.join(_cited(key.strip()) for key in content.split(','))})"
    if name == "math":
        return f"${content}$"
    titled = TITLED_TARGET.match(content)
    return titled[1] if titled else f"`{content}`"


def _cited(key: str) -> str:
    parts = CITATION_KEY.match(key)
    if not parts:
        return key
    return f"{parts[1].title()} {parts[2]}" + (f", {parts[3]}" if parts[3] else "")


def _expand(directive: Directive) -> str:
    inner = "\n".join(directive.body)
    match directive.name:
        case "lesson-card":
            return _lesson_card(directive)
        case "exercise-card":
            return _exercise_card(directive.argument)
        case "quiz":
            return _quiz(directive)
        case "explore":
            return ""  # it computes in the page of the book; in a notebook the slider of the next cell stands for it
        case "dropdown":
            return fold(directive.argument, plain_markdown(inner))
        case name if name in LAYOUT:
            return plain_markdown(inner)
        case name:
            # Notes, tips, warnings and whatever else frames a text.
            title = directive.argument or name.capitalize()
            return quote(f"**{title}**\n\n{plain_markdown(inner)}")


def fold(title: str, body: str) -> str:
    """What opens when it is clicked, in every program that shows notebooks."""
    # Blank lines around the body: without them it would be taken as HTML, and its formulas not shown.
    return f"<details>\n<summary>{_summary(title)}</summary>\n\n{body.strip()}\n\n</details>\n"


def _summary(title: str) -> str:
    """A title as HTML, because Markdown is not read inside ``summary``."""
    title = title.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    title = re.sub(r"`([^`]+)`", r"<code>\1</code>", title)
    return re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", title)


def quote(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.strip().splitlines())


def _lesson_card(directive: Directive) -> str:
    objectives = parse_objectives(directive.body)
    lines = ["**After this lesson you can**", ""]
    for name, text in objectives.items():
        lines.append(f"- **{name}** " + text.replace("\n", "\n  "))
    if needs := directive.options.get("needs"):
        lines += ["", f"**You need** {needs}"]
    if minutes := directive.options.get("minutes"):
        lines += ["", f"**Reading time** about {minutes} minutes"]
    return quote("\n".join(lines))


def _exercise_card(name: str) -> str:
    exercise = find_exercise(name)
    # In one line: Jupyter would set a table in the middle of the page.
    facts = " · ".join(f"{name.lower()} **{text}**" for name, text in exercise.facts.items())
    forbidden = exercise.forbidden_sentence
    return f"> {facts[0].upper()}{facts[1:]}" + (f"\n>\n> {forbidden}" if forbidden else "")


def _quiz(directive: Directive) -> str:
    quiz = parse_quiz(directive.body)
    folds = []
    for choice in quiz.choices:
        verdict = "**Right.**" if choice.right else "**Not right.**"
        folds.append(fold(choice.text, f"{verdict} {choice.explanation}"))
    return "\n".join([f"**{quiz.question}**" if "\n" not in quiz.question else quiz.question, "", *folds])
