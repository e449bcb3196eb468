"""What is packed of a built book."""

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import dist
import pytest
from dist import NUMBER, first_pages, make_dist, one_page, pack, pages_in_order
from small_books import write_book

from tests.notebooks import sample

ROOT = Path(__file__).parents[2]

# In a process of its own, since this one may have a browser open already.
PRINT = """
import sys
from pathlib import Path
programs, html, file = map(Path, sys.argv[1:])
sys.path.insert(0, str(programs))
from dist import print_book
print_book(html, file)
"""

PAGE = """<!DOCTYPE html><html><head><title>{title}</title></head><body><article class="bd-article">
<h1 id="top">{title}</h1><a href="#top">up</a> <a href="{other}#top">there</a> <a href="https://example.org/#x">away</a>
<svg><clipPath id="c"/><path clip-path="url(#c)"/></svg><img src="{up}_static/a.png"></article>{after}</body></html>"""


@pytest.fixture
def html(tmp_path):
    """A book of two pages, the second in a folder."""
    (tmp_path / "lessons").mkdir()
    (tmp_path / "_static").mkdir()
    (tmp_path / "_static" / "a.png").write_bytes(b"picture")
    following = '<a class="right-next"\n href="lessons/one.html">next</a>'
    first = PAGE.format(title="First", other="lessons/one.html", up="", after=following)
    (tmp_path / "index.html").write_text(first, encoding="utf-8")
    second = PAGE.format(title="Second", other="../index.html", up="../", after="")
    (tmp_path / "lessons" / "one.html").write_text(second, encoding="utf-8")
    return tmp_path


def test_pages_follow_each_other_as_their_links_do(html):
    assert [page.name for page in pages_in_order(html)] == ["index.html", "one.html"]


def test_all_pages_in_one_lead_to_their_places_in_it(html):
    whole = one_page(html)
    ids = re.findall(r' id="([^"]+)"', whole)
    assert len(ids) == len(set(ids))
    links = re.findall(r'href="#([^"]+)"', whole)
    contents = ["p1"]
    assert links == ["p0-top", "p1-top", *contents, "p1-top", "p0-top"]
    assert '<a href="#p1">Second</a>' in whole
    assert {*links, *re.findall(r"url\(#([^)]+)\)", whole)} <= set(ids)
    assert whole.count('src="_static/a.png"') == 2
    assert whole.count('href="https://example.org/#x"') == 2


def test_a_page_for_the_screen_alone_is_not_printed(html):
    (html / "lessons" / "one.html").rename(html / "lessons" / "progress.html")
    (html / "index.html").write_text((html / "index.html").read_text().replace("one.html", "progress.html"))
    assert [page.name for page in pages_in_order(html)] == ["index.html"]


@pytest.mark.browser
def test_the_contents_know_where_each_part_begins(html):
    (html / "lessons" / "one.html").write_text(
        (html / "lessons" / "one.html").read_text().replace("<svg>", '<p style="break-before: page">Below.</p><svg>')
    )
    words = [Path(dist.__file__).parent, html, html / "book.pdf"]
    subprocess.run([sys.executable, "-c", PRINT, *map(str, words)], check=True)
    assert first_pages((html / "book.pdf").read_bytes()) == {"p1": 3}  # after the first page and the contents
    assert not (html / "whole.html").exists()


@pytest.mark.browser
def test_the_contents_tell_the_page(html, context):
    page = context.new_page()
    page.set_content(one_page(html))
    page.evaluate(NUMBER, {"p1": 77})
    assert page.locator(".all-pages li").all_text_contents() == ["Second77"]


def test_the_same_files_make_the_same_archive(html, tmp_path):
    archives = [tmp_path / "a.zip", tmp_path / "b.zip"]
    for archive in archives:
        pack(html / "lessons", archive, "book")
        (html / "lessons" / "one.html").touch()
    assert archives[0].read_bytes() == archives[1].read_bytes()
    assert zipfile.ZipFile(archives[0]).namelist() == ["book/one.html"]


def test_the_notebooks_are_packed_with_what_they_need_and_how_to_open_them(tmp_path, monkeypatch):
    write_book(tmp_path, {"lessons/01_attention/attention": sample.lesson_notebook()})
    for name in ("CITATION.cff", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "_build" / "html").mkdir(parents=True)
    (tmp_path / "_build" / "html" / "index.html").touch()
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    monkeypatch.setattr(dist, "print_book", lambda html, file: file.touch())
    archive = next(file for file in make_dist(tmp_path, tmp_path / "dist") if file.stem.endswith("-notebooks"))

    packed = zipfile.ZipFile(archive)
    inside = {name.partition("/")[2] for name in packed.namelist()}
    assert {"lessons/01_attention/attention.ipynb", "vitcourse/__init__.py", "pyproject.toml"} <= inside
    words = packed.read(f"{archive.stem}/README.md").decode()
    assert "pip install -e . jupyterlab\n" in words
    assert "jupyter lab lessons\n" in words
