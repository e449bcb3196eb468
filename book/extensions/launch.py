"""Sphinx extension: "Run it" on every page, what stands at its foot, and what is said where its link is shared."""

import json
import re
from html import escape
from pathlib import Path
from urllib.parse import quote

import yaml
from course_cards import cost_words
from course_nodes import course_pages, lesson_of

DESCRIPTION = (
    "A course that you run: build a vision transformer from its first equation, check each part against PyTorch and "
    "timm, and train one that reads the hand shapes of the American Sign Language alphabet."
)
PICTURE = "_static/share.png"
MOST = 200  # letters of a description


def cost_key(docname: str) -> str:
    """The name under which the cost of a page's notebook is recorded; `book/programs/cost.py` gives it."""
    lesson, stem = lesson_of(docname), docname.rpartition("/")[2]
    topic = lesson.partition("_")[2]
    return lesson if stem == topic else f"{lesson}_exercises" if stem == f"{topic}_exercises" else f"{lesson}/{stem}"


def run_it(app, docname: str, buttons: list[dict]) -> dict:
    """What the menu of a page offers.

    Args:
        buttons: those of the theme, of which the downloads and the places to run a notebook are taken out.
    """
    address, lesson = app.config.course_clone, lesson_of(docname)
    fetch = [f"git clone {address}", f"cd {address.rstrip('/').rpartition('/')[2].removesuffix('.git')}"]
    first = f" FIRST={docname.removeprefix('lessons/')}.ipynb" if lesson else ""
    groups = {group.get("label"): group["buttons"] for group in buttons if group["type"] == "group"}
    buttons[:] = [group for group in buttons if group.get("label") not in ("launch-buttons", "download-buttons")]
    downloads = groups.get("download-buttons", ())
    file = Path(app.srcdir, "book", "results", "lesson_cost.json")
    costs = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    cost = costs.get(cost_key(docname), {}).get("cpu") if lesson else None
    return {
        "lesson": lesson,
        "commands": "\n".join([*(fetch if address else []), f"make learn{first}"]),
        "cost": cost_words(cost, "of processor time") if cost else "",
        "source": next((one["url"] for one in downloads if one["label"].endswith("source-button")), ""),
        "places": [one for one in groups.get("launch-buttons", ()) if one["type"] == "link"] if lesson else [],
    }


def foot(app, docname: str) -> dict:
    """How to cite the course, and where its source is and an error can be told; nothing of what is not known."""
    citation = yaml.safe_load(Path(app.srcdir, "CITATION.cff").read_text(encoding="utf-8"))
    home = app.config.html_theme_options.get("repository_url", "")
    source = home or (app.config.course_clone if app.config.course_clone.startswith("https://") else "")
    report = f"{home}/issues/new?title={quote(f'Error on the page {docname}')}" if home else ""
    return {"citation": citation, "source": source, "report": report}


def description(app, docname: str) -> str:
    """What a page is about: the question of a lesson; for all others, what the course is."""
    page = course_pages(app.env).get(docname)
    text = " ".join(" ".join(node.astext() for node in page.question).split()) if page and page.question else ""
    return text if 0 < len(text) <= MOST and "\\" not in text else DESCRIPTION


def complete(app, pagename, templatename, context, doctree):  # noqa: ARG001 - the signature is Sphinx's
    if "header_buttons" not in context:
        return
    context["run_it"] = run_it(app, pagename, context["header_buttons"])
    context["foot"] = foot(app, pagename)
    base = app.config.html_baseurl
    said = {
        "description": description(app, pagename),
        "og:type": "article",
        "og:site_name": context["docstitle"],
        "og:title": re.sub(r"<[^>]*>", "", context.get("title", "")) or context["docstitle"],
        "og:description": description(app, pagename),
        "og:image": f"{base.rstrip('/')}/{PICTURE}" if base else context["pathto"](PICTURE, 1),
    }
    context["metatags"] = context.get("metatags", "") + "".join(  # the page of the search has none of its own
        f'<meta {"property" if name.startswith("og:") else "name"}="{name}" content="{escape(text, quote=True)}" />\n'
        for name, text in said.items()
    )
    if pagename == app.config.root_doc:
        context["docstitle"] = ""  # its title is that of the book


def setup(app):
    # After the theme has made its buttons.
    app.connect("html-page-context", complete, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
