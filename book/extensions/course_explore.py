"""Sphinx extension: ``:::{explore} KIND`` puts a figure that computes in the page where a figure stood.

What stands in the page is a still figure with its sentence, which is what print and a browser without scripts show; the
scripts of ``book/assets/explore`` take its place. Only pages that have one load them, and what is large comes when a
reader asks for it. All data are scripts that call ``Explore.give``: a page that is opened as a file cannot fetch.
"""

import base64
import io
import re
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import course_stills
from course_nodes import element, html
from course_stills import given, still_picture
from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective

FOLDER, FIGURE = "explore", "figure"  # below _static; what ``:still:`` may be
TEXT_MODELS = {"numbers": "number_models", "bert": "bert_models"}  # their data, and the recorded runs
MOMENTS = {name: [f"{name}-{place}" for place in range(4)] for name in TEXT_MODELS}  # of their training
KINDS = {  # the scripts of each kind beside its own, and its data
    "hand": (("vit",), ("hands", "sign-model")),
    "tokens": ((), ()),
    "heads": ((), ("looks",)),
    "box": ((), ("hands",)),
    "patches": ((), ("photo",)),
    "droppath": ((), ()),
    "branches": ((), ()),
    "pulls": ((), ("two-pulls",)),
    "frozen": ((), ("frozen-steps",)),
    "sides": ((), ("side-maps",)),
    "letters": ((), ("ten-hands",)),
    "mask": ((), ()),
    "clocks": (("vit", "text"), ()),
    "number": (("vit", "text"), ("numbers", *MOMENTS["numbers"])),
    "gap": (("vit", "text"), ("bert", *MOMENTS["bert"])),
}


def frame_or_figure(text: str) -> int | str:
    return FIGURE if text == FIGURE else directives.nonnegative_int(text)


class Explore(SphinxDirective):
    """``:::{explore} KIND the claim``, and as its body the sentence that stands below the still figure.

    With ``:still: 3`` the still figure is frame 3, from 0, of the slider in the next cell, which it replaces; with
    ``:still: figure`` the figure of that cell, of which what is printed stays. Without, the kind has one of its own.
    """

    has_content = True
    required_arguments, optional_arguments, final_argument_whitespace = 1, 1, True
    option_spec = {"still": frame_or_figure}  # noqa: RUF012

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

    return results.load("sign_pictures")["pictures"]


def still_hand() -> nodes.Node:
    """The first picture with its box, and the five likeliest letters."""
    first = recorded_hands()[0]
    bars = "".join(
        f'<li><b>{name}</b><i><u style="width: {share:.1%}"></u></i><span>{share:.1%}</span></li>'
        for name, share in first["top"]
    )
    letter = f'<p class="hand-says"><span class="hand-letter">{first["top"][0][0]}</span></p>'
    says = f"A rendered hand that forms the letter {first['letter']}, in the box that the model has drawn around it"
    return still_picture(first, says, {"hand-frame": first["box"]}, f'{letter}<ol class="hand-bars">{bars}</ol>')


def still_box() -> nodes.Node:
    """The second picture, the true box and the model's."""
    second = recorded_hands()[1]
    says = "A rendered hand in two boxes that nearly agree: the true one, dashed, and that of the model"
    return still_picture(second, says, {"box-true": second["true"], "hand-frame": second["box"]}, "")


STILL: dict[str, Callable[[], nodes.Node]] = {"hand": still_hand, "box": still_box, **course_stills.STILL}


def sign_model() -> str:
    """The weights of the sign model, as a script."""
    from vitcourse.recipes.asl_finetuning.sign_backbone import hand_model
    from vitcourse.recipes.asl_finetuning.sign_pictures import script

    return script(hand_model())


def hands() -> str:
    from vitcourse import results

    recorded = results.load("sign_pictures")
    return given("hands", {"pictures": recorded["pictures"], "blind": recorded["blind"]})


def looks() -> str:
    """Pictures with the attention weights of every layer and head."""
    from vitcourse import results

    return given("looks", results.load("sign_pictures")["looks"])


def photo() -> str:
    """The photo of lesson 05: the middle of scikit-learn's china.jpg, 224 pixels square."""
    from PIL import Image
    from sklearn.datasets import load_sample_image

    stream = io.BytesIO()
    middle = Image.fromarray(load_sample_image("china.jpg")).crop((10, 0, 437, 427))
    middle.resize((224, 224), Image.Resampling.BILINEAR).save(stream, "JPEG", quality=90)
    return given("photo", base64.b64encode(stream.getvalue()).decode())


def text_model(name: str) -> str:
    """All that is recorded of a text model but its weights."""
    from vitcourse import results

    recorded = results.load(TEXT_MODELS[name])
    return given(name, {key: value for key, value in recorded.items() if key not in ("models", "provenance")})


def text_weights(name: str, place: int) -> str:
    """Its weights at one of the moments that are recorded."""
    from vitcourse import results

    return given(MOMENTS[name][place], list(results.load(TEXT_MODELS[name])["models"].values())[place])


DATA: dict[str, Callable[[], str]] = {
    "hands": hands,
    "looks": looks,
    "photo": photo,
    "sign-model": sign_model,
    **course_stills.DATA,
}
for model, files in MOMENTS.items():
    DATA[model] = partial(text_model, model)
    DATA |= {file: partial(text_weights, model, place) for place, file in enumerate(files)}


def take_frames(app, doctree) -> None:
    """Move what is asked for out of the next cell; a cell with a slider goes, for its figure is replaced."""
    for still in [node for node in doctree.findall(element) if "frame" in node]:
        cell = next((node for node in still.findall(is_cell, descend=False, siblings=True, ascend=True)), None)
        frame = still["frame"]
        found = figure_of(cell) if frame == FIGURE else frame_of(cell, frame)
        if not found:
            told = "no figure" if frame == FIGURE else f"no frame {frame} of a slider"
            raise ExtensionError(f"{app.env.docname}: {told} follows its explorable")
        still.insert(0, nodes.raw("", found, format="html"))


def frame_of(cell: nodes.Node | None, frame: int) -> str:
    """A frame of the slider in a cell, which is dropped."""
    pattern = rf'<div data-frame="{frame}"[^>]*>(.*?)</div>(?=<div data-frame=|</div><label)'
    found = cell and [match[1] for raw in cell.findall(nodes.raw) for match in re.finditer(pattern, raw.astext(), re.S)]
    if not found:
        return ""
    cell.parent.remove(cell)
    return found[0]


def figure_of(cell: nodes.Node | None) -> str:
    """The figure that a cell draws, which is taken out of it; a cell that shows nothing else is dropped."""
    outputs = [] if cell is None else [raw for raw in cell.findall(nodes.raw) if 'class="plot"' in raw.astext()]
    if not outputs:
        return ""
    output, found = outputs[0], outputs[0].astext()
    while "cell_output" not in output.parent.get("classes", ()):
        output = output.parent
    shown = output.parent
    shown.remove(output)
    if not shown.children:
        cell.parent.remove(cell)
    return found


def is_cell(node: nodes.Node) -> bool:
    return isinstance(node, nodes.container) and "cell" in node.get("classes", ())


def add_scripts(app, pagename, templatename, context, doctree) -> None:  # noqa: ARG001 - the signature that Sphinx calls
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


def forget_page(app, env, docname: str) -> None:  # noqa: ARG001 - the signature that Sphinx calls
    kinds(env).pop(docname, None)


def setup(app):
    app.add_directive("explore", Explore)
    app.connect("env-purge-doc", forget_page)
    app.connect("doctree-read", take_frames)
    app.connect("html-page-context", add_scripts)
    app.connect("build-finished", write_files)
    return {"parallel_read_safe": False, "parallel_write_safe": True}
