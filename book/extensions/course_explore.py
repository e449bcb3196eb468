"""Sphinx extension: ``:::{explore} KIND`` puts a figure that computes in the page where a figure stood.

What stands in the page is a still figure with its sentence, which is what print and a browser without scripts show; the
scripts of ``book/assets/explore`` take its place. Only pages that have one load them, and what is large comes when a
reader asks for it. All data are scripts that call ``Explore.give``: a page that is opened as a file cannot fetch.
"""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

from course_nodes import element, html
from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective

FOLDER = "explore"  # below _static
KINDS = {  # the scripts of each kind beside its own, and its data
    "hand": (("vit",), ("hands", "sign-model")),
    "tokens": ((), ()),
}


class Explore(SphinxDirective):
    """``:::{explore} KIND the claim``, and as its body the sentence that stands below the still figure.

    With ``:still: 3`` the still figure is frame 3, from 0, of the slider in the next cell, which it replaces; without
    it the kind has one of its own.
    """

    has_content = True
    required_arguments, optional_arguments, final_argument_whitespace = 1, 1, True
    option_spec = {"still": directives.nonnegative_int}  # noqa: RUF012

    def run(self) -> list[nodes.Node]:
        kind, *claim = self.arguments
        if kind not in KINDS or not claim:
            raise self.error(f"an explorable is ':::{{explore}} KIND the claim', of a kind in: {', '.join(KINDS)}")
        kinds(self.env).setdefault(self.env.docname, set()).add(kind)
        still = html("div", classes="explore-still")
        if "still" in self.options:
            still["frame"] = self.options["still"]
        else:
            still += STILL[kind]()
        still += self.parse_content_to_nodes()
        title, messages = self.parse_inline(claim[0])
        figure = html("figure", html("figcaption", *title), still, classes=f"explore explore-{kind}", data_explore=kind)
        figure["ids"].append(f"explore-{kind}")
        return [figure, *messages]


def kinds(env) -> dict[str, set[str]]:
    """The kinds on each page."""
    if not hasattr(env, "explore_kinds"):
        env.explore_kinds = {}
    return env.explore_kinds


def recorded_hands() -> list[dict]:
    """The pictures of hands, and what the model says of them."""
    from vitcourse import results  # here and below: most pages have no figure of these, and torch takes seconds

    return [picture for picture in results.load("sign_pictures")["pictures"] if picture["letter"]]


def still_hand() -> nodes.Node:
    """The first picture with its box, and the five likeliest letters."""
    first = recorded_hands()[0]
    left, top, right, bottom = first["box"]
    bars = "".join(
        f'<li><b>{name}</b><i><u style="width: {share:.1%}"></u></i><span>{share:.1%}</span></li>'
        for name, share in first["top"]
    )
    box = f'<rect class="explore-box" x="{left}" y="{top}" width="{right - left:.4f}" height="{bottom - top:.4f}"/>'
    picture = (
        f'<img src="data:image/jpeg;base64,{first["jpeg"]}" width="288" height="288" '
        f'alt="A rendered hand that forms the letter {first["letter"]}, in the box that the model has drawn around it">'
    )
    text = (
        f'<div class="explore-live"><div class="hand-stage"><div class="hand-picture">{picture}'
        f'<svg viewBox="0 0 1 1" aria-hidden="true">{box}</svg></div></div><div class="hand-answer">'
        f'<p class="hand-says"><span class="hand-letter">{first["top"][0][0]}</span></p>'
        f'<ol class="hand-bars">{bars}</ol></div></div>'
    )
    return nodes.raw("", text, format="html")


STILL: dict[str, Callable[[], nodes.Node]] = {"hand": still_hand}


def sign_model() -> str:
    """The weights of the sign model, as a script."""
    from vitcourse.recipes.asl_finetuning.sign_backbone import hand_model
    from vitcourse.recipes.asl_finetuning.sign_pictures import script

    return script(hand_model())


def hands() -> str:
    pictures = [{key: value for key, value in one.items() if key != "weights"} for one in recorded_hands()]
    return f"Explore.give('hands', {json.dumps(pictures)});\n"


DATA: dict[str, Callable[[], str]] = {"hands": hands, "sign-model": sign_model}


def take_frames(app, doctree) -> None:
    """Move the frame that is asked for out of the next cell, and drop the cell: its figure is replaced."""
    for still in [node for node in doctree.findall(element) if "frame" in node]:
        cell = next((node for node in still.findall(is_cell, descend=False, siblings=True, ascend=True)), None)
        frame = still["frame"]
        found = cell and [
            match[1]
            for raw in cell.findall(nodes.raw)
            for match in re.finditer(rf'<div data-frame="{frame}"[^>]*>(<img.*?>)</div>', raw.astext(), re.DOTALL)
        ]
        if not found:
            raise ExtensionError(f"{app.env.docname}: no frame {frame} of a slider follows its explorable")
        still.insert(0, nodes.raw("", f"<p>{found[0]}</p>", format="html"))
        cell.parent.remove(cell)


def is_cell(node: nodes.Node) -> bool:
    return isinstance(node, nodes.container) and "cell" in node.get("classes", ())


def add_scripts(app, pagename, templatename, context, doctree) -> None:  # noqa: ARG001 - likewise
    shown = sorted(kinds(app.env).get(pagename, ()))
    if not shown:
        return
    app.add_css_file(f"{FOLDER}/explore.css")
    scripts = dict.fromkeys(["explore", *(script for kind in shown for script in (*KINDS[kind][0], kind))])
    for script in scripts:
        app.add_js_file(f"{FOLDER}/{script}.js", loading_method="defer")


def write_files(app, error) -> None:
    """Copy the scripts, and write the data that some page asks for."""
    used = {kind for shown in kinds(app.env).values() for kind in shown}
    if error or not used or app.builder.format != "html":
        return
    folder = Path(app.outdir) / "_static" / FOLDER
    shutil.copytree(Path(__file__).parents[1] / "assets" / FOLDER, folder, dirs_exist_ok=True)
    for name in {name for kind in used for name in KINDS[kind][1]}:
        (folder / f"{name}.js").write_text(DATA[name](), encoding="utf-8")


def forget_page(app, env, docname: str) -> None:  # noqa: ARG001 - likewise
    kinds(env).pop(docname, None)


def setup(app):
    app.add_directive("explore", Explore)
    app.connect("env-purge-doc", forget_page)
    app.connect("doctree-read", take_frames)
    app.connect("html-page-context", add_scripts)
    app.connect("build-finished", write_files)
    return {"parallel_read_safe": False, "parallel_write_safe": True}
