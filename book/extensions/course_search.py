"""Sphinx extension: the index of the search, one entry for each section of the book.

Sphinx's own index is by page, and its script reads the pages anew, which a browser forbids from ``file://``. So the
index is a script of our own, ``searchindex.js``, with the words of every section; `search.js` ranks them.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from course_glossary import terms
from course_nodes import element, objective_badge, section_of
from docutils import nodes
from sphinx import addnodes

INDEX, SECTIONS = "searchindex.js", "course_sections"
# What is not searched: outputs of cells, and what a reader has to open to learn an answer.
UNREAD = {"cell_output", "solution", "quiz-answer", "headerlink"}
SPACE = re.compile(r"\s+")
TEX = re.compile(r"[\\^_{}]")


def is_unread(node: nodes.Node) -> bool:
    if isinstance(node, objective_badge | nodes.raw | nodes.comment | nodes.math_block | nodes.Invisible):
        return True
    if isinstance(node, addnodes.pending_xref) and node.get("refdomain") == "cite":
        return True  # until all pages are read it is the key of the paper; the papers are found by themselves
    # sphinx-design keeps the classes of a dropdown under a name of its own until the page is written.
    classes = [*node["classes"], *node.get("container_classes", [])] if isinstance(node, nodes.Element) else []
    return not UNREAD.isdisjoint(classes)


def parts(node: nodes.Node) -> Iterator[tuple[str, str]]:
    """(kind, text) of what a section says itself, in order; the sections below it speak for themselves."""
    for child in node.children:
        if isinstance(child, nodes.section | nodes.title) or is_unread(child):
            continue
        if isinstance(child, nodes.literal_block):
            yield "code", child.astext()
        elif isinstance(child, nodes.math):
            yield "prose", "" if TEX.search(child.astext()) else child.astext()
        elif isinstance(child, nodes.Text):
            yield "prose", child.astext()
        else:
            yield from parts(child)
            if not isinstance(child, nodes.Inline) and not (isinstance(child, element) and child["tag"] == "span"):
                yield "prose", " "


def sections_of(doctree: nodes.document) -> list[list[str]]:
    """[anchor, title, prose, code] of every section of a page; the page itself has no anchor."""
    found = []
    for section in doctree.findall(nodes.section):
        texts = {"prose": "", "code": ""}
        for kind, text in parts(section):
            texts[kind] += text if kind == "prose" else f"{text}\n"
        anchor, title = section_of(section.next_node(nodes.title))
        prose = SPACE.sub(" ", texts["prose"]).strip()
        found.append([anchor if found else "", title, prose, SPACE.sub(" ", texts["code"]).strip()])
    return found


def note_sections(app, doctree) -> None:
    known(app.env)[app.env.docname] = sections_of(doctree)


def known(env) -> dict[str, list[list[str]]]:
    if not hasattr(env, SECTIONS):
        setattr(env, SECTIONS, {})
    return getattr(env, SECTIONS)


def in_reading_order(env) -> list[str]:
    order = [env.config.root_doc]
    for page in order:
        at = order.index(page) + 1
        order[at:at] = [name for name in env.toctree_includes.get(page, ()) if name not in order]
    return order


def kind_of(page: str) -> str:
    if page.startswith("lessons/"):
        return "exercises" if page.endswith("_exercises") else "lesson"
    return "setup" if page == "book/setup" else "reference"


def papers(app) -> Iterator[list[str]]:
    """[anchor, title, prose, code] of each paper in the list of references."""
    for citation in app.env.get_domain("cite").citations:
        text = str(citation.formatted_entry.text)
        yield [citation.citation_id, f"{citation.formatted_entry.label}", text, ""]


def write_index(app, failed) -> None:
    """After the last page: so a build without this file did not come to its end."""
    if failed or app.builder.format != "html":
        return
    env, pages, sections = app.env, [], []
    for page in in_reading_order(env):
        if page not in known(env):
            continue
        own = known(env)[page]
        if page == "book/references":
            own = [*own, *papers(app)]
        sections += [[len(pages), *section] for section in own]
        pages.append([app.builder.get_target_uri(page), env.titles[page].astext(), kind_of(page)])
    words = [[term.name, *term.place, [*term.also, *term.romanian], term.says] for term in terms(app)]
    index = json.dumps({"pages": pages, "sections": sections, "terms": words}, ensure_ascii=False)
    Path(app.outdir, INDEX).write_text(f"courseSearch.index({index})\n", encoding="utf-8")


def forget_page(app, env, docname: str) -> None:  # noqa: ARG001 - the signature is Sphinx's
    known(env).pop(docname, None)


def merge_pages(app, env, docnames, other) -> None:  # noqa: ARG001 - likewise
    known(env).update({name: page for name, page in getattr(other, SECTIONS, {}).items() if name in docnames})


def own_page(app) -> Iterator[tuple[str, dict, str]]:  # noqa: ARG001 - likewise
    yield "search", {}, "search.html"


def no_second_index(app) -> None:
    app.builder.search = False


def setup(app):
    app.add_css_file("search.css")
    app.add_js_file("search.js", loading_method="defer")
    app.connect("builder-inited", no_second_index)
    app.connect("doctree-read", note_sections)
    app.connect("env-purge-doc", forget_page)
    app.connect("env-merge-info", merge_pages)
    app.connect("html-collect-pages", own_page)
    app.connect("build-finished", write_index)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
