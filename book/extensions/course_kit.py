"""Sphinx extension: the directives of the course, and the bonds between objectives, sections and exercises.

course_cards.py has the directives of a lesson, course_tables.py the list of exercises, the matrix of objectives and
the faults that fail the build, course_nodes.py what they share.
"""

from course_cards import ExerciseCard, LessonCard, ObjectiveRole, Quiz
from course_nodes import (
    PAGES,
    anchor,
    course_page,
    course_pages,
    course_table,
    depart_element,
    element,
    html,
    objective_badge,
    section_of,
    visit_element,
    words,
)
from course_tables import MATRIX, Count, CourseTable, check, fill


def note_places(app, doctree) -> None:
    """Note the section of every card and badge of the page that was just read; a card's own badges name no section."""
    for card in doctree.findall(lambda node: isinstance(node, element) and "exercise" in node):
        course_page(app.env).exercises.append((card["exercise"], *section_of(card)))
    for badge in doctree.findall(objective_badge):
        if not badge["short"]:
            course_page(app.env).sections.append((badge["objective"], *section_of(badge)))
    if any(place["kind"] == MATRIX for place in doctree.findall(course_table)):
        app.env.course_matrix = app.env.docname


def show_badges(app, doctree, docname: str) -> None:
    """Turn each badge into a link to its objective in the matrix, where the book has one."""
    home = getattr(app.env, "course_matrix", None)
    for badge in list(doctree.findall(objective_badge)):
        name = badge["objective"]
        parts = [words(name)] if badge["short"] else [words(f"Objective {name}")]
        if home is None or home not in app.env.all_docs:
            badge.replace_self(html("span", *parts, classes="objective-badge"))
            continue
        address = f"{app.builder.get_relative_uri(docname, home)}#{anchor(name)}"
        label = {"aria_label": f"Objective {name}"} if badge["short"] else {}
        badge.replace_self(html("a", *parts, classes="objective-badge", href=address, **label))


def forget_page(app, env, docname: str) -> None:  # noqa: ARG001 - the signature is Sphinx's
    course_pages(env).pop(docname, None)


def merge_pages(app, env, docnames, other) -> None:  # noqa: ARG001 - likewise
    course_pages(env).update({name: page for name, page in getattr(other, PAGES, {}).items() if name in docnames})


def setup(app):
    app.add_config_value("course_profile", "self-study", "env")
    app.add_node(element, html=(visit_element, depart_element))
    for name, directive in (("lesson-card", LessonCard), ("exercise-card", ExerciseCard), ("quiz", Quiz)):
        app.add_directive(name, directive)
    for name in ("exercise-list", MATRIX):
        app.add_directive(name, CourseTable)
    app.add_role("objective", ObjectiveRole())
    app.add_role("course-count", Count())
    app.connect("config-inited", lambda app, config: app.tags.add(config.course_profile.replace("-", "_")))
    app.connect("env-purge-doc", forget_page)
    app.connect("env-merge-info", merge_pages)
    app.connect("doctree-read", note_places)
    app.connect("env-check-consistency", check)
    app.connect("doctree-resolved", fill)
    app.connect("doctree-resolved", show_badges)
    return {"parallel_read_safe": False, "parallel_write_safe": True}
