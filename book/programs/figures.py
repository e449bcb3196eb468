"""What a page makes of its notebook's figures: their words, the colours of its theme, files of their own for photos.

A figure comes as it is drawn on white paper (`vitcourse/figures/vector.py`). Here each colour becomes a variable, and
`figures.css` gives it a value in either theme; this is the one place that knows how a drawing looks in the dark.
"""

import base64
import colorsys
import copy
import hashlib
import re
from html import escape
from pathlib import Path, PurePosixPath

from nbformat import NotebookNode

from vitcourse.errors import InputError

FOLDED = "hide-input"
DRAWN = re.compile(r'class="(plot|boxes)"|id="the-figure"')
COLOUR = re.compile(r'(?<=[:=" ])#([0-9a-fA-F]{6}|[0-9a-fA-F]{3})(?=[;"} ])')
PICTURE = re.compile(r"data:image/(png|webp);base64,([A-Za-z0-9+/=]+)")
HELD = 12_000  # letters of a picture that stay in the page: a request costs more
PROMPT = "Code of this figure"
FOLDER = "book/assets/static/figures"
# The course's own colours on the dark page; of any other the lightness is turned.
PAGE, INK = "var(--pst-color-background)", "var(--pst-color-text-base)"
# Code that is drawn: what Pygments calls xcode becomes what the cells have.
LIGHT_CODE = {"a90d91": "#6730c5", "5b269a": "#7f4707", "1c01ce": "#7f4707", "c41a16": "#00622f", "177500": "#515151"}
DARK_CODE = {"a90d91": "#dcc6e0", "5b269a": "#ffd900", "1c01ce": "#ffd900", "c41a16": "#abe338", "177500": "#9aa7b5"}
LIGHT = {"ffffff": PAGE, "1f2933": INK, "000000": INK, **LIGHT_CODE}
DARK = {
    **LIGHT,
    **DARK_CODE,
    **{"1f5fa8": "#86b4f0", "c8500a": "#f0a45c", "2d7d46": "#7fce98", "5f6773": "#9aa7b5", "4b5563": "#9aa7b5"},
    **{"9aa3ad": "#5c6674", "e5e8ec": "#2c333d"},
}


class Figures:
    """The figures of all pages of one book.

    Args:
        source: the tree that the book is built from; files are written below it.
    """

    def __init__(self, source: Path):
        self.source, self.colours = source, set(LIGHT)

    def dress(self, notebook: NotebookNode, page: PurePosixPath) -> NotebookNode:
        """The notebook of a page with its figures as they are shown.

        A folded cell that shows nothing, such as assertions, is left out: of it a page would have a bar alone. What a
        drawing complained of while it was made is left out, too: a reader did not call it.

        Args:
            page: the page's path in the book.
        """
        result = copy.deepcopy(notebook)
        for cell in filter(_is_folded, result.cells):
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
        result.cells = [cell for cell in result.cells if not _is_silent(cell)]
        up = "../" * (len(page.parts) - 1)
        for cell in result.cells:
            shown = [output.data for output in cell.get("outputs", ()) if "text/html" in output.get("data", {})]
            for data in shown:
                data["text/html"] = self._dressed(data["text/html"], cell.metadata, up)
            if _is_folded(cell) and any(DRAWN.search(data["text/html"]) for data in shown):
                cell.metadata.setdefault("mystnb", {})["code_prompt_show"] = PROMPT
        return result

    def _dressed(self, html: str, metadata: dict, up: str) -> str:
        if not DRAWN.search(html):
            return html
        words = metadata.get("mystnb", {}).get("image", {}).get("alt", "")
        html = html.replace('aria-label=""', f'aria-label="{escape(words)}"', 1)
        if start := metadata.get("vitcourse", {}).get("start"):
            html = _started(html, start)
        html = PICTURE.sub(lambda found: self._filed(found, up), html)
        return COLOUR.sub(self._variable, html)

    def _filed(self, found: re.Match, up: str) -> str:
        if len(found[2]) < HELD:
            return found[0]
        content = base64.b64decode(found[2])
        name = f"{hashlib.sha256(content).hexdigest()[:16]}.{found[1]}"
        folder = self.source / FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
        return f"{up}_static/figures/{name}"

    def _variable(self, found: re.Match) -> str:
        name = found[1].lower() if len(found[1]) == 6 else "".join(2 * letter for letter in found[1].lower())
        self.colours.add(name)
        return f"var(--fig-{name})"

    def write_style(self) -> None:
        """The values of all colours, in either theme."""
        rules = {
            ":root": {name: LIGHT.get(name, f"#{name}") for name in self.colours},
            'html[data-theme="dark"]': {name: DARK.get(name) or _turned(name) for name in self.colours},
        }
        text = "/* The colours of figures, written by book/programs/figures.py. */\n"
        for theme, values in rules.items():
            lines = "".join(f"  --fig-{name}: {value};\n" for name, value in sorted(values.items()))
            text += f"\n{theme} {{\n{lines}}}\n"
        file = (self.source / FOLDER).with_suffix(".css")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


def _is_folded(cell: NotebookNode) -> bool:
    return cell.cell_type == "code" and FOLDED in cell.metadata.get("tags", [])


def _is_silent(cell: NotebookNode) -> bool:
    return _is_folded(cell) and not cell.outputs


def _started(html: str, start: str) -> str:
    """A figure with a slider that begins at the frame of this name.

    Raises:
        InputError: there is no such frame.
    """
    names = re.findall(r'<span data-frame="\d+"[^>]*>(.*?)</span>', html)
    if start not in names:
        raise InputError(f"a slider shall start at {start!r}, and goes through {', '.join(names)}")
    number = names.index(start)
    html = re.sub(r'(data-frame="\d+") hidden', r"\1", html)
    html = re.sub(rf'(data-frame="(?!{number}")\d+")', r"\1 hidden", html)
    return re.sub(r'value="\d+"(.*?aria-valuetext)="[^"]*"', rf'value="{number}"\1="{start}"', html, count=1)


def _turned(name: str) -> str:
    """A colour of the same hue, as dark as the first is light; no light is lost to the greys of the dark page."""
    red, green, blue = (int(name[i : i + 2], 16) / 255 for i in (0, 2, 4))
    hue, lightness, saturation = colorsys.rgb_to_hls(red, green, blue)
    parts = colorsys.hls_to_rgb(hue, 0.92 - 0.82 * lightness, 0.85 * saturation)
    return "#" + "".join(f"{round(255 * part):02x}" for part in parts)
