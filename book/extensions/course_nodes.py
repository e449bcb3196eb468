"""The nodes that the course's directives are made of, and what each page of the book tells about itself."""

import re
from dataclasses import dataclass, field

from docutils import nodes

PAGES = "course_pages"


class element(nodes.General, nodes.TextElement):  # noqa: N801 - docutils names nodes so
    """An HTML element of any kind: its tag and attributes, with classes, ids and children as for every node."""


class objective_badge(nodes.Inline, nodes.Element):  # noqa: N801
    """Stands for the link to an objective, until all pages are read."""


class course_table(nodes.General, nodes.Element):  # noqa: N801
    """Stands for the list of exercises or the matrix of objectives, until all pages are read."""


def html(tag: str, *children: nodes.Node, classes: str = "", **attributes: str) -> element:
    """An element; an underscore in the name of an attribute stands for a hyphen."""
    names = {name.replace("_", "-"): value for name, value in attributes.items()}
    node = element("", "", *children, tag=tag, attributes=names)
    node["classes"] += classes.split()
    return node


def words(text: str) -> nodes.Text:
    return nodes.Text(text)


def counted(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def visit_element(translator, node):
    translator.body.append(translator.starttag(node, node["tag"], "", **node["attributes"]))


def depart_element(translator, node):
    translator.body.append(f"</{node['tag']}>\n" if node["tag"] not in ("span", "a") else f"</{node['tag']}>")


def anchor(objective: str) -> str:
    """The id of an objective in the address of a page: objective-01-2."""
    return f"objective-{objective.replace('.', '-')}"


def lesson_of(docname: str) -> str:
    """The lesson that a page belongs to: the name of its folder, or nothing outside of ``lessons/``."""
    match = re.fullmatch(r"lessons/(\w+)/\w+", docname)
    return match[1] if match else ""


@dataclass
class CoursePage:
    """What one page says of objectives and exercises.

    ``objectives`` holds the words of each by id; ``sections`` and ``exercises`` are (id, anchor, title of the section);
    ``minutes`` and ``question`` are those of a lesson's card and first lines; ``quizzes`` are known by their words.
    """

    docname: str
    has_card: bool = False
    minutes: int = 0
    question: list[nodes.Node] = field(default_factory=list)
    objectives: dict[str, list[nodes.Node]] = field(default_factory=dict)
    sections: list[tuple[str, str, str]] = field(default_factory=list)
    exercises: list[tuple[str, str, str]] = field(default_factory=list)
    quizzes: list[str] = field(default_factory=list)

    @property
    def lesson(self) -> str:
        return lesson_of(self.docname)

    @property
    def is_main(self) -> bool:
        """Whether it is the lesson itself, which is called as its folder is, and no page beside it."""
        return self.docname.endswith(f"/{self.lesson[3:]}")


def course_pages(env) -> dict[str, CoursePage]:
    """All pages that say something, by name."""
    if not hasattr(env, PAGES):
        setattr(env, PAGES, {})
    return getattr(env, PAGES)


def course_page(env) -> CoursePage:
    """The page that is being read."""
    return course_pages(env).setdefault(env.docname, CoursePage(env.docname))


def section_of(node: nodes.Node) -> tuple[str, str]:
    """The anchor and the title of the section that a node stands in."""
    section = node.parent
    while section is not None and not isinstance(section, nodes.section):
        section = section.parent
    if section is None:
        return "", ""
    title = section.next_node(nodes.title).deepcopy()
    for badge in list(title.findall(objective_badge)):
        badge.parent.remove(badge)
    return section["ids"][0], title.astext().strip()
