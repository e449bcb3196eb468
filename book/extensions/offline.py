"""Sphinx extension: nothing on a built page asks for anything off the machine.

Two things would. Plotly figures: Jupyter stores them as JSON, and every renderer that plotly brings fetches a script
from a host. sphinx-thebe: Jupyter Book always loads it, and its script names a host on each page, although live code
is off in this book. (MathJax comes from the package sphinx-mathjax-offline.)
"""

import json
import shutil
from pathlib import Path

import myst_nb.core.render as nb_render
import plotly
from docutils import nodes

PLOTLY_MIME = "application/vnd.plotly.v1+json"
PLOTLY_SCRIPT = "vendor/plotly.min.js"
DEFAULT_HEIGHT = 420


class PlotlyRenderer:
    """Renders the JSON of a plotly figure with the plotly.min.js of the installed package."""

    # (builder, type, priority): wins over the text form of the same output.
    mime_priority_overrides = (("html", PLOTLY_MIME, 1),)

    @staticmethod
    def handle_mime(renderer, data, inline):
        if inline or data.mime_type != PLOTLY_MIME:
            return None
        figure = data.content if isinstance(data.content, dict) else json.loads(data.content)
        # Unique on its page, and the same in every build.
        element = f"plotly-{data.cell_index or 0}-{data.output_index or 0}"
        height = figure.get("layout", {}).get("height", DEFAULT_HEIGHT)
        parts = {name: figure[name] for name in ("data", "layout", "frames") if name in figure}
        parts["config"] = {"responsive": True, "displaylogo": False}
        script = nb_render.sanitize_script_content(json.dumps(parts))
        # Sphinx adds the script to those pages alone that hold such a figure.
        renderer.add_js_file("plotly", PLOTLY_SCRIPT, {})
        html = (
            f'<div id="{element}" class="plotly-graph-div" style="height:{height}px"></div>'
            f'<script>addEventListener("DOMContentLoaded", () => Plotly.newPlot("{element}", {script}));</script>'
        )
        # Without the class text_html, which the theme frames in the dark.
        return [nodes.raw("", html, format="html", classes=["output"])]


def add_plotly_renderer():
    """Put the renderer before those that myst-nb finds by entry point."""
    found = nb_render.load_mime_renders
    nb_render.load_mime_renders = lambda: [PlotlyRenderer, *found()]


def copy_plotly(app, exception):
    """Copy the script beside the pages, from the installed wheel: no third-party file is kept in the repository."""
    if exception is None and app.builder.format == "html":
        target = Path(app.outdir, "_static", PLOTLY_SCRIPT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(Path(plotly.__file__).parent / "package_data/plotly.min.js", target)


def drop_thebe(app, _config):
    """Disconnect sphinx-thebe, which Jupyter Book loads whether it is used or not."""
    for event in ("env-before-read-docs", "doctree-resolved"):
        for listener in list(app.events.listeners[event]):
            if listener.handler.__module__ == "sphinx_thebe":
                app.disconnect(listener.id)


def setup(app):
    add_plotly_renderer()
    app.connect("config-inited", drop_thebe)
    app.connect("build-finished", copy_plotly)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
