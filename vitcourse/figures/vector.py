"""A figure as the pages of the book hold it: drawn to scale, with text as text, once for a column and once for a phone.

A page gives a drawing the colours of its theme (`book/programs/figures.py`); here every colour is that of white paper.
"""

import base64
import io
import itertools
import re
from collections.abc import Sequence
from html import escape

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from PIL import Image

from vitcourse.figures.phone import SMALLEST, extent_of, fit

PHONE = 350  # pixels of the page that a figure gets on a phone of 390
PHOTO = "photo"
# matplotlib sets a mark on an image as a link around it.
IMAGE = re.compile(
    r'(<a xlink:href="photo"[^>]*>\s*)?(<image\b[^>]*?href=")data:image/png;base64,([^"]+)("[^>]*>)(?(1)\s*</a>)'
)
PIXELATED = 'style="image-rendering:crisp-edges;image-rendering:pixelated"'
DROPPED = (
    r"<\?xml.*?\?>",
    r"<!DOCTYPE.*?>",
    r"<!--.*?-->",
    r"<metadata>.*?</metadata>",
    r"<style.*?</style>",
    r"(?<=<svg) [^>]*(?=>)",
)
LINES = 'style="stroke-linejoin: round; stroke-linecap: butt"'
FONTS = re.compile(r"'DejaVu Sans'(?:, '[^']*'|, [\w-]+)*")


def show_on_pages() -> None:
    """Lets a kernel show every figure so; `stage.py` knows its words, which stand beside the code of its cell."""
    from IPython import get_ipython
    from matplotlib_inline.config import InlineBackend

    if shell := get_ipython():
        plt.get_backend()  # sets up what shows figures, which would else undo what follows
        InlineBackend.instance(parent=shell).figure_formats = set()
        drawn = itertools.count()
        html = shell.display_formatter.formatters["text/html"]
        html.for_type(Figure, lambda figure: on_page([figure], [""], salt=f"figure {next(drawn)}")[0])


def on_page(figures: Sequence[Figure], alts: Sequence[str], salt: str) -> list[str]:
    """Figures of one kind, as HTML; they share one extent, so that nothing jumps where they follow each other.

    Each holds two drawings, of which the page's style shows one: as wide as it was made, and laid out anew for a phone.
    Where that cannot be done, there is one, and on a phone it is wider than the screen and scrolls.

    Args:
        figures: they are changed.
        alts: what each shows, in words.
        salt: differs from figure to figure on a page.
    """
    dpi = figures[0].dpi
    texts = [text.get_fontsize() for figure in figures for text in figure.findobj(Text) if text.get_text().strip()]
    extent = Bbox.union([extent_of(figure) for figure in figures])
    wide = [_svg(figure, extent, f"{salt} wide {n}") for n, figure in enumerate(figures)]
    least = min(1, SMALLEST / (min(texts, default=SMALLEST) * dpi / 72))
    width = extent.width * dpi
    if width <= PHONE:
        drawn = [f'<div class="plot-wide">{one}</div>' for one in wide]
    elif all(fit(figure, PHONE / dpi) for figure in figures):
        extent = Bbox.union([extent_of(figure) for figure in figures])
        small = [_svg(figure, extent, f"{salt} small {n}") for n, figure in enumerate(figures)]
        pairs = zip(wide, small, strict=True)
        drawn = [f'<div class="plot-wide">{a}</div><div class="plot-small">{b}</div>' for a, b in pairs]
    else:
        style = f'style="--least: {least * width:.0f}px"'
        drawn = [f'<div class="plot-wide plot-scrolls" {style}>{one}</div>' for one in wide]
    pairs = zip(drawn, alts, strict=True)
    return [f'<div class="plot" role="img" aria-label="{escape(alt)}">{one}</div>' for one, alt in pairs]


def _svg(figure: Figure, extent: Bbox, salt: str) -> str:
    """One drawing. Salted, because the ids of two drawings on a page must differ."""
    for image in figure.findobj(AxesImage):
        if image.get_array().ndim == 3:
            image.set_url(PHOTO)
            _no_larger_than_seen(image)
        image.set_interpolation("none")  # its own pixels, and no more of them
    file = io.StringIO()
    settings = {"svg.fonttype": "none", "svg.hashsalt": salt, "image.composite_image": False}
    with mpl.rc_context(settings):
        figure.savefig(file, format="svg", bbox_inches=extent, facecolor="none", metadata={"Date": None})
    svg = file.getvalue()
    for pattern in DROPPED:
        svg = re.sub(pattern, "", svg, flags=re.DOTALL)
    svg = IMAGE.sub(_smaller, svg)
    svg = FONTS.sub("'DejaVu Sans', Verdana, sans-serif", svg)
    svg = re.sub(r' d="[^"]*"', lambda path: re.sub(r"(\.\d)\d+", r"\1", path[0]), svg)
    used = set(re.findall(r'(?:url\(#|href="#)([^)"]+)', svg))
    svg = re.sub(r' id="([^"]*)"', lambda name: name[0] if name[1] in used else "", svg)
    svg = re.sub(r">\s+<", "><", svg).strip()
    inches = f'viewBox="0 0 {72 * extent.width:.1f} {72 * extent.height:.1f}"'
    size = f'width="{extent.width * figure.dpi:.0f}" height="{extent.height * figure.dpi:.0f}"'
    return svg.replace("<svg", f'<svg {inches} {size} {LINES} aria-hidden="true"', 1)


def _no_larger_than_seen(image: AxesImage) -> None:
    """A photo keeps two of its pixels for one of the page."""
    array, seen = image.get_array(), image.get_window_extent()
    scale = 2 * max(seen.width, seen.height) / max(array.shape[:2])
    if array.dtype != np.uint8 or scale > 0.8:
        return
    size = [round(scale * side) for side in array.shape[1::-1]]
    image.set_extent(image.get_extent())
    image.set_data(np.asarray(Image.fromarray(np.asarray(array)).resize(size)))


def _smaller(image: re.Match) -> str:
    """An image as WebP: a photo as a photo, a map without loss; the page may not turn the colours of a photo."""
    picture = Image.open(io.BytesIO(base64.b64decode(image[3])))
    kind = PHOTO if image[1] else "map"
    smooth = kind == PHOTO and min(picture.size) > 32
    after = image[4].replace(PIXELATED, "") if smooth else image[4]
    file = io.BytesIO()
    picture.save(file, "webp", lossless=not smooth, quality=86, method=6)
    data = base64.b64encode(file.getvalue()).decode()
    return f"{image[2].replace('<image', f'<image class={kind!r}')}data:image/webp;base64,{data}{after}"
