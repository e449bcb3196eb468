"""Pack the built book for others: its pages, which open without a network, one PDF, and the learner's notebooks.

Run by `make dist`, after the book is built. The notebooks come with the package that they import and with a word on how
to open them, as on the branch `learner`. The PDF is printed by chromium from all pages in one, so that its links
and its contents lead from page to page; and twice, since only a print says on which page each part begins. SHA256SUMS
lists what lies in `dist/`.
"""

import argparse
import hashlib
import re
import shutil
import sys
import tempfile
import zipfile
from pathlib import Path
from urllib.parse import unquote

import yaml
from execute import say
from publish import collect

from vitcourse.errors import InputError

# The oldest that a zip file can hold: the same files make the same bytes.
DATE = (1980, 1, 1, 0, 0, 0)
ARTICLE = re.compile(r'<article class="bd-article">(.*?)</article>', re.DOTALL)
NAMED = re.compile(r'(\b(?:id|for|aria-labelledby|aria-controls)="|url\(#)([^")]+)')
ADDRESS = re.compile(r'(\b(?:xlink:)?(?:href|src)=")([^":]*)(")')
NEXT = re.compile(r'<a class="right-next"\s+href="([^"]+)"')
TITLE = re.compile(r"<title>([^<]*?)(?: &#8212; [^<]*)?</title>")
SUBTITLE = '<span class="subtitle">'  # in the outline of the PDF a title is one line
ON_SCREEN = {"progress.html"}  # has nothing to say on paper
PAGE = re.compile(rb"\n(\d+) 0 obj\n<</Type /Page\n")
PLACE = re.compile(rb"/(p\d+) \[(\d+) 0 R")
STYLE = """<style>
article.one-page { break-before: page }
article.one-page:first-of-type { break-before: auto }
.all-pages { list-style: none; padding: 0 }
.all-pages li { display: flex; justify-content: space-between; border-bottom: 1px dotted #bbb; break-inside: avoid }
.all-pages .below { padding-left: 2.2em }
</style>"""
NUMBER = """numbers => {
  for (const link of document.querySelectorAll(".all-pages a"))
    link.nextElementSibling.textContent = numbers[link.hash.slice(1)];
}"""


def pages_in_order(html: Path) -> list[Path]:
    """The pages, as their links to the next one lead."""
    found, page = [], html / "index.html"
    while page not in found and page.is_file():
        found.append(page)
        after = NEXT.search(page.read_text(encoding="utf-8"))
        page = (page.parent / after[1]).resolve() if after else page
    return [page for page in found if page.name not in ON_SCREEN]


def one_page(html: Path) -> str:
    """All pages as one, each link to another page as a link to its place here."""
    html = html.resolve()
    pages = pages_in_order(html)
    numbers = {page: number for number, page in enumerate(pages)}
    first = pages[0].read_text(encoding="utf-8")
    articles, contents = [], []
    for page, number in numbers.items():
        text = page.read_text(encoding="utf-8")
        if number:
            below = ' class="below"' if page.parent == pages[number - 1].parent != html / "book" else ""
            contents.append(f'<li{below}><a href="#p{number}">{TITLE.search(text)[1]}</a><span></span></li>')
        body = ARTICLE.search(text)
        if not body:
            raise InputError(f"{page.name} has no article: build the book again.")

        def moved(found: re.Match, page=page) -> str:
            name, _, place = found[2].partition("#")
            target = (page.parent / unquote(name)).resolve() if name else page
            if target in numbers:
                return f"{found[1]}#{'-'.join([f'p{numbers[target]}', *([place] * bool(place))])}{found[3]}"
            local = target.is_relative_to(html) and target.exists()
            return f"{found[1]}{target.relative_to(html).as_posix() if local else found[2]}{found[3]}"

        inner = ADDRESS.sub(moved, NAMED.sub(rf"\g<1>p{number}-\2", body[1]))
        inner = inner.replace(SUBTITLE, f'<span style="font-size: 1px; color: transparent">:&nbsp;</span>{SUBTITLE}', 1)
        articles.append(f'<article class="bd-article one-page" id="p{number}">{inner}</article>')
    listed = f'<h1 id="contents">Contents</h1><ol class="all-pages">{"".join(contents)}</ol>'
    articles.insert(1, f'<article class="bd-article one-page">{listed}</article>')
    head = first[: first.index("</head>")]
    if "mathjax" not in head:  # the first page may have no formula
        head += '<script defer src="_static/mathjax/tex-chtml.js"></script>'
    main = '<div class="bd-main"><div class="bd-content"><div class="bd-article-container">'
    return f"{head}{STYLE}</head><body><main>{main}{''.join(articles)}</div></div></main></body></html>"


def first_pages(pdf: bytes) -> dict[str, int]:
    """The number of the page on which each place of the contents lies, in a PDF that chromium wrote."""
    numbers = {found[1]: number for number, found in enumerate(PAGE.finditer(pdf), 1)}
    return {found[1].decode(): numbers[found[2]] for found in PLACE.finditer(pdf)}


def print_book(html: Path, file: Path) -> None:
    """The whole book as one PDF.

    Raises:
        InputError: no chromium on this machine.
    """
    from playwright.sync_api import sync_playwright

    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if not browser:
        raise InputError("The PDF is printed by chromium, which this machine does not have.")
    whole = html / "whole.html"
    whole.write_text(one_page(html), encoding="utf-8")
    try:
        with sync_playwright() as playwright:
            page = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"]).new_page()
            page.set_default_timeout(0)  # a busy machine takes its time
            page.goto(whole.resolve().as_uri(), timeout=0)
            page.evaluate("() => window.MathJax?.startup?.promise")
            margins = {"top": "16mm", "bottom": "16mm", "left": "16mm", "right": "16mm"}
            number = (
                '<div style="width: 100%; text-align: center; font-size: 8pt"><span class="pageNumber"></span></div>'
            )
            options = {
                "format": "A4",
                "scale": 0.72,  # else chromium takes what the widest part of any page needs
                "margin": margins,
                "outline": True,
                "tagged": True,
                "print_background": True,
                "display_header_footer": True,
                "header_template": "<span></span>",
                "footer_template": number,
            }
            draft = page.pdf(**{**options, "outline": False, "tagged": False})
            page.evaluate(NUMBER, first_pages(draft))
            page.pdf(path=file, **options)
    finally:
        whole.unlink()


def pack(folder: Path, archive: Path, name: str) -> None:
    """A zip file of a folder, which unpacks under a name; the same for the same files."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            inside = f"{name}/{file.relative_to(folder).as_posix()}"
            packed.writestr(zipfile.ZipInfo(inside, DATE), file.read_bytes(), zipfile.ZIP_DEFLATED)


def make_dist(root: Path, out: Path) -> list[Path]:
    """Write all of it.

    Returns:
        the files.
    """
    html = root / "_build" / "html"
    if not (html / "index.html").exists():
        raise InputError("There is no built book: run `make book` first.")
    version = yaml.safe_load((root / "CITATION.cff").read_text(encoding="utf-8"))["version"]
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    name = f"vitcourse-{version}"
    pack(html, out / f"{name}-html.zip", name)
    with tempfile.TemporaryDirectory() as folder:
        collect(root, Path(folder))
        pack(Path(folder), out / f"{name}-notebooks.zip", f"{name}-notebooks")
    print_book(html, out / f"{name}.pdf")
    files = sorted(out.iterdir())
    sums = "".join(f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files)
    (out / "SHA256SUMS").write_text(sums, encoding="utf-8")
    return files


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--root", type=Path, default=Path(__file__).parents[2], help="folder of the course")
    root = parser.parse_args().root.resolve()
    try:
        for file in make_dist(root, root / "dist"):
            say(f"  {file.relative_to(root)}: {file.stat().st_size / 1e6:.1f} MB")
    except InputError as error:
        say(f"Nothing is packed. {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
