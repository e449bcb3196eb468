"""Sphinx extension: the list of papers with author and year, as the text cites them, and links back to who cites it."""

from collections import Counter

from course_nodes import html, lesson_of, words
from course_search import in_reading_order
from docutils import nodes
from pybtex.plugin import register_plugin
from pybtex.style.formatting.plain import Style
from pybtex.style.labels import BaseLabelStyle
from pybtex.style.template import field, sentence


class AuthorYear(BaseLabelStyle):
    """``Vaswani et al., 2017``; where two would be the same, with a letter behind the year."""

    def format_labels(self, sorted_entries):
        labels = [f"{authors(entry)}, {entry.fields.get('year', 'no year')}" for entry in sorted_entries]
        many, seen = Counter(labels), Counter()
        for label in labels:
            letter = chr(ord("a") + seen[label]) if many[label] > 1 else ""
            seen[label] += 1
            yield f"{label}{letter}"


def authors(entry) -> str:
    people = entry.persons.get("author") or entry.persons.get("editor") or []
    names = [
        " ".join([*person.prelast_names, *person.last_names]).translate({ord(c): None for c in "{}"})
        for person in people
    ]
    if not names:
        return entry.fields.get("organization") or entry.fields.get("title", entry.key)
    return f"{names[0]} et al." if len(names) > 2 else " and ".join(names)


class CourseStyle(Style):
    """Titles as they were printed, and one address for each paper."""

    default_label_style = AuthorYear

    def format_title(self, e, which_field, as_sentence=True):  # noqa: ARG002 - the signature is pybtex's
        title = field(which_field)
        return sentence[title] if as_sentence else title

    def format_url(self, e):
        return field("missing") if "eprint" in e.fields else super().format_url(e)


def link_back(app, doctree, docname: str) -> None:
    """Under each paper the pages that cite it, in reading order."""
    domain, order = app.env.get_domain("cite"), in_reading_order(app.env)
    keys = {citation.citation_id: citation.key for citation in domain.citations}
    for paper in doctree.findall(nodes.citation):
        key = next((keys[name] for name in paper["ids"] if name in keys), None)
        places = {}
        for place in domain.citation_refs:
            if key in {target.key for target in place.targets} and place.docname in order:
                places.setdefault(place.docname, place.citation_ref_id)
        links: list[nodes.Node] = []
        for page in sorted(places, key=order.index):
            address = f"{app.builder.get_relative_uri(docname, page)}#{places[page]}"
            title = app.env.titles[page].astext()
            short = lesson_of(page)[:2] or title
            links += [words(", " if links else "Cited in "), html("a", words(short), href=address, title=title)]
        if links:
            paper += nodes.paragraph("", "", *links, classes=["cited-in"])


def setup(app):
    register_plugin("pybtex.style.formatting", "course", CourseStyle)
    app.connect("doctree-resolved", link_back)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
