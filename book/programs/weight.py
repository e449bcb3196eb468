"""What the pages of a built book weigh: as a table, `python book/programs/weight.py`; and files that no page asks for.

Counted are the bytes of the files on disk. Scripts, styles and fonts under `_static` are shared by all pages, so each
is loaded once; a page's own weight is that of its HTML and its pictures.
"""

import argparse
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

# Of MathJax the book uses one bundle, the fonts, and what a formula asks for.
MATHJAX = ("tex-chtml.js", "output/chtml/fonts", "input/tex/extensions")
UNUSED = ("**/*.map", "**/*.ttf", "*.html", "sphinx-thebe.js", "locales")
ASKED = re.compile(r'(?:src|href|xlink:href)="([^"#?]+)[^"]*"')
LINK = re.compile(r"<(?:link|script|img|image|source)\b[^>]*>")
NOT_LOADED = re.compile(r'rel="(?:index|search|next|prev|author|preload|canonical)"')
MODELS = "explore"  # below _static: weights of models, which a page loads when they are wanted


@dataclass(frozen=True)
class Weight:
    """Of one page: bytes of its own, bytes of what it shares with others, files asked for."""

    page: str
    own: int
    shared: int
    requests: int


def lighten(html: Path) -> None:
    """Remove from a built book what no page asks for."""
    static = html / "_static"
    mathjax = static / "mathjax"
    for file in [path for path in mathjax.rglob("*") if path.is_file()]:
        name = file.relative_to(mathjax).as_posix()
        if not name.startswith(MATHJAX):
            file.unlink()
    for pattern in UNUSED:
        for path in list(static.glob(pattern)):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for folder in sorted((path for path in static.rglob("*") if path.is_dir()), reverse=True):
        if not any(folder.iterdir()):
            folder.rmdir()


def asked_for(page: Path) -> set[Path]:
    """The files that a page's HTML names, to be loaded with it."""
    found = set()
    for tag in LINK.findall(page.read_text(encoding="utf-8")):
        if NOT_LOADED.search(tag):
            continue
        for address in ASKED.findall(tag):
            file = (page.parent / unquote(address)).resolve()
            if ":" not in address and file.is_file():
                found.add(file)
    return found


def weights(html: Path) -> Iterator[Weight]:
    """Of every page."""
    html = html.resolve()
    for page in sorted(html.rglob("*.html")):
        if (html / "_static") in page.parents:
            continue
        files = asked_for(page)
        shared = {file for file in files if file.suffix in (".js", ".css", ".woff2", ".svg")}
        own = page.stat().st_size + sum(file.stat().st_size for file in files - shared)
        total = sum(file.stat().st_size for file in shared)
        yield Weight(page.relative_to(html).as_posix(), own, total, 1 + len(files))


def static_bytes(html: Path) -> int:
    """All of `_static`, but for the weights of models."""
    static = html / "_static"
    files = (path for path in static.rglob("*") if path.is_file() and (static / MODELS) not in path.parents)
    return sum(path.stat().st_size for path in files)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--root", type=Path, default=Path(__file__).parents[2], help="folder of the course")
    html = parser.parse_args().root / "_build" / "html"
    print(f"{'page':60} {'own kB':>8} {'shared kB':>10} {'files':>6}")
    for one in weights(html):
        print(f"{one.page:60} {one.own / 1000:8.0f} {one.shared / 1000:10.0f} {one.requests:6}")
    print(f"_static, without the weights of models: {static_bytes(html) / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
