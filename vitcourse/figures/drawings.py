"""The Transformer as a drawing in which every box is a link, and the code that the boxes lead to.

Both are HTML for a notebook or a page of the book, with no script and no file beside them, on white paper; a page puts
the colours of its theme in place of these. The drawing is after Vaswani et al. 2017, https://arxiv.org/abs/1706.03762,
Figure 1.
"""

import ast
import inspect
import textwrap
from collections.abc import Callable, Mapping, Sequence
from html import escape

from vitcourse.errors import InputError

WIDTH, HEIGHT = 150, 26  # of a box, in units of the drawing
LEFT, RIGHT = 26, 234  # left edges of the two columns
BLUE, GREEN, ORANGE, GREY, NONE = "#dbe8f7", "#dcefe1", "#fbe6d6", "#e8ebef", "none"
# Words, left edge, top edge, fill, and the name of the code that is the box.
BOXES = (
    ("embedding", LEFT, 470, ORANGE, "embedding"),
    ("+ positions", LEFT, 432, ORANGE, "positions"),
    ("self-attention", LEFT, 368, BLUE, "encoder-attention"),
    ("add & norm", LEFT, 334, GREY, "encoder-norm1"),
    ("feed-forward", LEFT, 284, GREEN, "feed-forward"),
    ("add & norm", LEFT, 250, GREY, "encoder-norm2"),
    ("encoder × depth", LEFT, 204, NONE, "encoder-stack"),
    ("shifted right", RIGHT, 508, NONE, "shifted-right"),
    ("embedding", RIGHT, 470, ORANGE, "embedding"),
    ("+ positions", RIGHT, 432, ORANGE, "positions"),
    ("masked attention", RIGHT, 368, BLUE, "masked-attention"),
    ("add & norm", RIGHT, 334, GREY, "decoder-norm1"),
    ("cross-attention", RIGHT, 284, BLUE, "cross-attention"),
    ("add & norm", RIGHT, 250, GREY, "decoder-norm2"),
    ("feed-forward", RIGHT, 200, GREEN, "feed-forward"),
    ("add & norm", RIGHT, 166, GREY, "decoder-norm3"),
    ("decoder × depth", RIGHT - 52, 130, NONE, "decoder-stack"),
    ("linear", RIGHT, 92, ORANGE, "linear"),
    ("softmax", RIGHT, 54, GREY, "softmax"),
)
NAMES = tuple(dict.fromkeys(name for *_, name in BOXES))
DESCRIPTION = (
    "The Transformer. Left, from below: the words go through embedding and positions into the encoder, whose layers "
    "hold self-attention and a feed-forward part, each followed by add and norm. Right: the target so far goes through "
    "embedding and positions into the decoder, whose layers hold masked attention, cross-attention to the encoder's "
    "output and a feed-forward part. Above: linear, softmax, and the next tokens. Every box is a link to its code."
)
PAPER = "background: #ffffff; color: #1f2933; border: none"
STYLE = (
    "<style>#the-figure a:hover rect, #the-figure a:focus-visible rect {stroke: #1f5fa8; stroke-width: 3} "
    ".boxes .is-box {outline: 1px dashed #8a94a3; outline-offset: 2px} "
    ".boxes :target .is-box {outline: 3px solid #c8500a} .boxes [id] {scroll-margin-top: 7rem}</style>"
)

Piece = tuple[Callable, Mapping[str, str]]


class Page:
    """HTML that a notebook shows, and a sentence for where it cannot."""

    def __init__(self, html: str, text: str):
        self.html, self.text = html, text

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return self.text


def drawing(source: Sequence[str], read: str, written: str) -> Page:
    """The encoder and the decoder with an example at their ends.

    Args:
        source: the words that the encoder reads, one or two lines.
        read, written: what the decoder reads and what it writes.
    """
    left, right = LEFT + WIDTH / 2, RIGHT + WIDTH / 2
    notes = [_note(line, left, 528 + 18 * i) for i, line in enumerate(source)]
    notes += [_note(read, right, 546), _note(written, right, 34)]
    lines = [
        *(_arrow((x, a), (x, b)) for x in (left, right) for a, b in ((510, 498), (470, 460), (432, 396), (334, 312))),
        *(_arrow((right, a), (right, b)) for a, b in ((250, 228), (166, 120), (92, 82), (54, 42))),
        *(_around(LEFT - 10, LEFT, left, top) for top in (347, 263)),
        *(_around(RIGHT + WIDTH + 12, RIGHT + WIDTH, right, top) for top in (347, 263, 179)),
        _arrow((left, 250), (left, 228), (212, 228), (212, 297), (RIGHT, 297)),
    ]
    frames = [
        f'<rect x="{x - 13}" y="{top}" width="{WIDTH + 26}" height="{418 - top}" rx="8"/>'
        for x, top in ((LEFT, 232), (RIGHT, 158))
    ]
    tip = (
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="6" markerHeight="6" orient="auto">'
        '<path d="M0 0 8 4 0 8z" fill="#5b6675"/></marker></defs>'
    )
    svg = (
        f'<svg id="the-figure" viewBox="0 0 412 560" width="412" role="group" aria-label="{escape(DESCRIPTION)}" '
        f'style="display: block; margin: auto; max-width: 100%; height: auto">{tip}'
        f'<g fill="none" stroke="#9aa3ad" stroke-dasharray="4 3">{"".join(frames)}</g>'
        f'<g fill="none" stroke="#5b6675" stroke-width="1.4">{"".join(lines)}</g>'
        f'<g font-family="system-ui, sans-serif" font-size="14.5" fill="#1f2933" text-anchor="middle">'
        f"{''.join(notes)}{''.join(_box(*box) for box in BOXES)}</g></svg>"
    )
    return Page(f'{STYLE}<div style="{PAPER}; border-radius: 6px">{svg}</div>', DESCRIPTION)


def _note(text: str, x: float, y: float) -> str:
    return f'<text x="{x}" y="{y}">{escape(text)}</text>'


def _arrow(*points: tuple[float, float]) -> str:
    path = " ".join(f"{x},{y}" for x, y in points)
    return f'<polyline points="{path}" marker-end="url(#tip)"/>'


def _around(outer: float, edge: float, middle: float, top: float) -> str:
    """A residual connection: from below a sub-layer, past it, into the box of its sum."""
    return _arrow((middle, top + 57), (outer, top + 57), (outer, top), (edge, top))


def _box(words: str, x: float, y: float, fill: str, name: str) -> str:
    line = NONE if fill == NONE else "#5b6675"
    shape = f'<rect x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="4" fill="{fill}" stroke="{line}"/>'
    text = f'<text x="{x + WIDTH / 2}" y="{y + 18}">{escape(words)}</text>'
    return f'<a href="#code-{name}" aria-label="{escape(words)}: to its code">{shape}{text}</a>'


def listings(pieces: Sequence[Piece]) -> Page:
    """The code of every box: functions without their docstrings, with the line of each box framed.

    Args:
        pieces: functions or methods, each with the boxes whose line it holds: a name of ``NAMES``, or several with a
            space between them, and a part of that line.

    Raises:
        InputError: a part that is not in exactly one line, or boxes without a line, or with two.
    """
    names = " ".join(name for _, boxes in pieces for name in boxes).split()
    if sorted(names) != sorted(NAMES):
        wrong = sorted({*names} ^ {*NAMES}) or sorted({name for name in names if names.count(name) > 1})
        raise InputError(f"every box needs one line of code; look at {', '.join(wrong)}")
    parts = "".join(_listing(piece, boxes) for piece, boxes in pieces)
    back = '<p><a href="#the-figure" style="color: #1f5fa8">Back to the figure</a></p>'
    page = f'<div class="boxes" style="{PAPER}; border-radius: 6px; padding: 0.8rem">{parts}{back}</div>'
    return Page(STYLE + page, "The code of " + ", ".join(piece.__qualname__ for piece, _ in pieces))


def without_docstrings(piece: Callable) -> str:
    """The source of a function, to the left, without its docstring and those of the functions in it."""
    lines = textwrap.dedent(inspect.getsource(piece)).splitlines()
    functions = [node for node in ast.walk(ast.parse("\n".join(lines))) if isinstance(node, ast.FunctionDef)]
    documented = [node.body[0] for node in functions if ast.get_docstring(node)]
    for doc in sorted(documented, key=lambda doc: -doc.lineno):
        del lines[doc.lineno - 1 : doc.end_lineno]
    return "\n".join(lines)


def _listing(piece: Callable, boxes: Mapping[str, str]) -> str:
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer

    source = without_docstrings(piece)
    # Colours in the elements themselves, for a light ground: the page's own change with its theme.
    shown = highlight(source, PythonLexer(), HtmlFormatter(nowrap=True, noclasses=True, style="xcode"))
    lines = shown.rstrip("\n").split("\n")
    for names, part in boxes.items():
        found = [i for i, line in enumerate(source.splitlines()) if part in line]
        if len(found) != 1:
            raise InputError(f"{part!r} must be in one line of {piece.__qualname__}, and is in {len(found)}")
        anchors = "".join(f'<span id="code-{name}">' for name in names.split())
        line = f'<span class="is-box">{lines[found[0]]}</span>'
        lines[found[0]] = anchors + line + "</span>" * len(names.split())
    file = piece.__module__.replace(".", "/") + ".py"
    code = "\n".join(lines)
    return (
        f'<p><strong>{escape(piece.__qualname__)}</strong> in <code style="{PAPER}">{file}</code></p>'
        f'<pre tabindex="0" style="{PAPER}; overflow-x: auto; padding: 0.3rem; line-height: 1.5">{code}</pre>'
    )
