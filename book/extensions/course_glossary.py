"""Sphinx extension: the glossary, made from ``book/glossary.toml``, and a link to it where a page first uses a term."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from course_nodes import element, html, words
from docutils import nodes
from sphinx.util.docutils import SphinxDirective

PAGE, FILE = "book/glossary", "book/glossary.toml"
# Where a word is no running text: it names, is code, or is a link already.
APART = (nodes.title, nodes.reference, nodes.literal, nodes.literal_block, nodes.math, nodes.caption, nodes.table)


@dataclass
class Term:
    """A term; ``place`` is the page and the anchor of the section that teaches it."""

    name: str
    says: str
    place: tuple[str, str]
    romanian: list[str]
    also: list[str]
    link: bool

    @property
    def anchor(self) -> str:
        return f"term-{nodes.make_id(self.name)}"


def terms(app) -> list[Term]:
    content = tomllib.loads(Path(app.srcdir, FILE).read_text(encoding="utf-8"))
    found = []
    for name, entry in content.items():
        page, _, anchor = entry["at"].partition("#")
        place = (f"lessons/{page}", anchor)
        also, romanian = entry.get("also", []), entry.get("ro", [])
        found.append(Term(name, entry["says"], place, romanian, also, entry.get("link", True)))
    return found


class glossary_part(nodes.General, nodes.Element):  # noqa: N801 - docutils names nodes so
    """Stands for the list of terms or the Romanian table, until all pages are read."""


class Glossary(SphinxDirective):
    """``:::{course-glossary}``, and with ``romanian`` behind it the table from Romanian."""

    optional_arguments = 1

    def run(self) -> list[nodes.Node]:
        self.env.note_dependency(str(Path(self.env.srcdir, FILE)))
        return [glossary_part("", romanian=self.arguments == ["romanian"])]


def entries(app) -> list[nodes.Node]:
    """Each term with what it says, what it is called in Romanian, and the section that teaches it."""
    items = []
    for term in terms(app):
        name = html("dt", words(term.name))
        name["ids"].append(term.anchor)
        if term.romanian:
            name += html("span", words(", ".join(term.romanian)), lang="ro", classes="in-romanian")
        parts: list[nodes.Node] = [words(f"{term.says} ")]
        page, anchor = term.place
        if page in app.env.all_docs:
            address = f"{app.builder.get_relative_uri(PAGE, page)}#{anchor}"
            lesson = app.env.titles[page].astext().partition(":")[0]
            parts += [html("a", words(lesson), href=address, classes="reference internal")]
        items += [name, html("dd", html("p", *parts))]
    return [html("dl", *items, classes="course-glossary simple")]


def from_romanian(app) -> list[nodes.Node]:
    pairs = sorted({(word, term) for one in terms(app) for word in one.romanian for term in [(one.name, one.anchor)]})
    rows = [
        html(
            "tr",
            html("td", words(word), lang="ro"),
            html("td", html("a", words(name), href=f"#{anchor}", classes="reference internal")),
        )
        for word, (name, anchor) in sorted(pairs, key=lambda pair: pair[0].casefold())
    ]
    head = html("tr", html("th", words("In the reports"), scope="col"), html("th", words("Here"), scope="col"))
    table = html("table", html("thead", head), html("tbody", *rows), classes="table")
    return [html("div", table, classes="pst-scrollable-table-container")]


def is_prose(text: nodes.Text) -> bool:
    """Whether a text stands in a paragraph, a list or a note of a page, and not in a card, a quiz or code."""
    node, paragraph = text.parent, False
    while node is not None:
        if isinstance(node, (*APART, element)):
            return False
        paragraph = paragraph or isinstance(node, nodes.paragraph)
        node = node.parent
    return paragraph


def pieces(text: nodes.Text, pattern: re.Pattern, unused: dict[str, Term], address: str) -> Iterator[nodes.Node]:
    """The text with a link at each term that is used for the first time."""
    plain, end = text.astext(), 0
    for match in pattern.finditer(plain):
        term = unused.pop(" ".join(match[1].casefold().split()), None)
        if term is None:
            continue
        yield words(plain[end : match.start()])
        uri = f"{address}#{term.anchor}"
        yield nodes.reference("", match[0], internal=True, refuri=uri, reftitle=term.says, classes=["glossary-term"])
        end = match.end()
    if end:
        yield words(plain[end:])


def link_terms(app, doctree, docname: str) -> None:
    """Link each term where a page of a lesson first uses it; the page that teaches a term explains it itself."""
    if not docname.startswith("lessons/") or PAGE not in app.env.all_docs:
        return
    unused = {term.name.casefold(): term for term in terms(app) if term.link and term.place[0] != docname}
    # A term may stand across the end of a line.
    names = sorted((re.escape(name).replace(r"\ ", r"\s+") for name in unused), key=len, reverse=True)
    pattern = re.compile(rf"(?<![\w-])({'|'.join(names)})(?:s|es)?(?![\w-])", re.IGNORECASE)
    address = app.builder.get_relative_uri(docname, PAGE)
    for text in list(doctree.findall(nodes.Text)):
        if pattern.search(text.astext()) and is_prose(text) and (made := list(pieces(text, pattern, unused, address))):
            text.parent.replace(text, made)


def fill(app, doctree, docname: str) -> None:
    for part in list(doctree.findall(glossary_part)):
        part.replace_self(from_romanian(app) if part["romanian"] else entries(app))
    link_terms(app, doctree, docname)


def setup(app):
    app.add_directive("course-glossary", Glossary)
    app.connect("doctree-resolved", fill)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
