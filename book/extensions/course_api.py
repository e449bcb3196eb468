"""Sphinx extension: the reference of the package, from its docstrings, with the lesson that first uses each name."""

import inspect
import re
from collections.abc import Iterator
from importlib import import_module

from course_nodes import html, words
from course_search import in_reading_order, known
from docutils import nodes
from sphinx.util.docutils import SphinxDirective

PARTS = re.compile(r"^(Args|Returns|Raises|Yields|Shape|Source|Example|Examples|Attributes):\s*(.*)$")
LISTED = ("Args", "Raises", "Attributes")
INLINE = re.compile(r"``(.+?)``|`(.+?)`|(https?://[^\s,)]+[^\s,).;])", re.DOTALL)


class taught_in(nodes.General, nodes.Element):  # noqa: N801 - docutils names nodes so
    """Stands for the link to the lesson that uses a name, until all pages are read."""


class PackageApi(SphinxDirective):
    """``:::{package-api}``: a line for each module of ``vitcourse``, and behind it names, or none for all."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        made = []
        for line in filter(None, map(str.strip, self.content)):
            name, _, wanted = line.partition(": ")
            module = import_module(f"vitcourse.{name}")
            self.env.note_dependency(module.__file__)
            section = heading(f"vitcourse.{name}", f"api-{name}")
            section += blocks(inspect.getdoc(module) or "", first_only=True)
            for own in wanted.split() or public(module):
                section += entry(name, own, getattr(module, own))
            made.append(section)
        return made


def public(module) -> list[str]:
    """The classes and functions that a module defines, in the order of its file."""
    found = [
        (inspect.getsourcelines(thing)[1], name)
        for name, thing in vars(module).items()
        if not name.startswith("_")
        and (inspect.isclass(thing) or inspect.isfunction(thing))
        and thing.__module__ == module.__name__
    ]
    return [name for _, name in sorted(found)]


def heading(text: str, name: str) -> nodes.section:
    anchor = nodes.make_id(name)
    return nodes.section("", nodes.title("", "", nodes.literal("", text)), ids=[anchor], names=[anchor])


def entry(module: str, name: str, thing) -> nodes.section:
    section = heading(name, f"api-{module}-{name}")
    if callable(thing):
        section += html("p", html("code", words(f"{name}{signature(thing)}")), classes="api-signature")
        section += blocks(inspect.getdoc(thing) or "")
        forward = vars(thing).get("forward") if inspect.isclass(thing) else None
        if forward is not None and forward.__doc__:
            section += html("p", html("code", words(f"forward{signature(forward)}")), classes="api-signature")
            section += blocks(inspect.getdoc(forward))
    else:
        keys = ", ".join(f"{key}" for key in thing)
        section += html("p", words(f"A table by name: {keys if len(keys) < 400 else f'{len(thing)} entries'}."))
    section += taught_in("", module=module, name=name)
    return section


def signature(thing) -> str:
    try:
        told = str(inspect.signature(thing))
    except (TypeError, ValueError):
        return "(…)"
    told = re.sub(r"<(?:function|class|built-in function) '?([\w.]+)'?[^>]*>", r"\1", told)
    return re.sub(r"\b(?:torch\.nn\.modules\.\w+|torch\.nn|torch|collections\.abc|vitcourse[\w.]*|pathlib)\.", "", told)


def inline(text: str) -> list[nodes.Node]:
    """A text in which code stands between backticks, and addresses are links."""
    parts, end = [], 0
    for match in INLINE.finditer(text):
        parts.append(words(text[end : match.start()]))
        code, name, address = match.groups()
        if address:
            parts.append(nodes.reference("", address, refuri=address))
        else:
            parts.append(nodes.literal("", code or name))
        end = match.end()
    return [*parts, words(text[end:])]


def blocks(text: str, *, first_only: bool = False) -> list[nodes.Node]:
    """A docstring as paragraphs; what stands under ``Args:`` and its like as a list."""
    made: list[nodes.Node] = []
    for block in text.split("\n\n")[: 1 if first_only else None]:
        lines = block.splitlines()
        part = PARTS.match(lines[0]) if lines else None
        if part and part[1] in LISTED:
            made.append(html("p", html("strong", words(part[1])), classes="api-part"))
            made.append(html("ul", *(html("li", *named(item)) for item in indented(lines[1:]))))
        elif part:
            told = " ".join(f"{part[2]} {' '.join(lines[1:])}".split())
            made.append(html("p", html("strong", words(part[1])), *inline(f" {told}")))
        elif block.startswith("==="):
            made.append(table(lines))
        elif block.lstrip().startswith("- "):
            made.append(html("ul", *(html("li", *inline(item[2:])) for item in indented(lines))))
        elif block.startswith(("    ", ">>>")):
            made.append(nodes.literal_block(block, block, language="text"))
        else:
            made.append(nodes.paragraph("", "", *inline(" ".join(block.split()))))
    return made


def table(lines: list[str]) -> nodes.table:
    """Two columns between rules of ``=``, the first row their names."""
    second = lines[0].rindex(" ") + 1
    rows = [(line[:second].strip(), line[second:].strip()) for line in lines if not line.startswith("=")]
    names, *rest = (nodes.row("", *(nodes.entry("", nodes.paragraph("", cell)) for cell in row)) for row in rows)
    group = nodes.tgroup("", nodes.colspec(colwidth=1), nodes.colspec(colwidth=2), cols=2)
    group += [nodes.thead("", names), nodes.tbody("", *rest)]
    return nodes.table("", group)


def named(item: str) -> list[nodes.Node]:
    """An item such as ``dim: width of a token``, its name as code."""
    name, colon, rest = item.partition(": ")
    return [nodes.literal("", name), *inline(f": {rest}")] if colon else inline(item)


def indented(lines: list[str]) -> Iterator[str]:
    """The items below a heading: each begins at the first indent, and goes on at a deeper one."""
    item, own = "", len(lines[0]) - len(lines[0].lstrip()) if lines else 0
    for line in lines:
        if item and len(line) - len(line.lstrip()) <= own:
            yield item
            item = ""
        item = f"{item} {line.strip()}".strip()
    if item:
        yield item


def place_of(env, module: str, name: str) -> tuple[str, str, str] | None:
    """The first section of a lesson that uses a name: its page, its anchor and its title."""
    last = module.rpartition(".")[2]
    imported = re.compile(
        rf"from vitcourse\.{re.escape(module)}[\w.]* import (?:(?! import ).)*?\b{name}\b|\b{last}\.{name}\b"
    )
    for page in in_reading_order(env):
        if not page.startswith("lessons/") or page.endswith("_exercises"):
            continue
        sections = known(env).get(page, [])
        if not imported.search(" ".join(code for _, _, _, code in sections)):
            continue
        used = [one for one in sections if re.search(rf"\b{name}\b[(\[.]", one[3])]
        anchor, title = (used or [one for one in sections if imported.search(one[3])] or sections)[0][:2]
        return page, anchor, title
    return None


def fill(app, doctree, docname: str) -> None:
    for stand_in in list(doctree.findall(taught_in)):
        found = place_of(app.env, stand_in["module"], stand_in["name"])
        if found is None:
            stand_in.parent.remove(stand_in)
            continue
        page, anchor, title = found
        address = f"{app.builder.get_relative_uri(docname, page)}#{anchor}"
        lesson = app.env.titles[page].astext().partition(":")[0]
        text = f"{lesson}: {title}" if anchor else lesson
        link = html("a", words(text), href=address, classes="reference internal")
        stand_in.replace_self(html("p", words("First used in "), link, classes="taught-in"))


def setup(app):
    app.add_directive("package-api", PackageApi)
    app.connect("doctree-resolved", fill)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
