"""The scripts of the book, without a program of Node: each is parsed by the browser, and names only what there is."""

import re
from itertools import pairwise
from pathlib import Path

import pytest
from pygments.lexers.javascript import JavascriptLexer
from pygments.token import Comment, Literal, Name, String

ASSETS = Path(__file__).parents[2] / "book" / "assets"
SCRIPTS = sorted(path.relative_to(ASSETS).as_posix() for path in ASSETS.rglob("*.js"))
# What a script of the book, or of the theme, gives to the others.
SHARED = {"Explore", "Vit", "courseSearch", "DOCUMENTATION_OPTIONS", "MathJax"}
OPENING, CLOSING = {"(", "[", "{"}, {")", "]", "}"}
CONTROL = {"if", "for", "while", "switch", "with"}


def tokens(source: str) -> tuple[list[str], set[str]]:
    """Words and signs in order, without what stands in strings and comments; and which of the words are names."""
    words, names = [], set()
    for kind, text in JavascriptLexer().get_tokens(source):
        if kind in Comment or not text.strip():
            continue
        if kind in Literal and kind not in String.Interpol:
            words.append('""')
            continue
        own = re.findall(r"[A-Za-z_$][\w$]*|=>|\?\.|\.\.\.|[=!]==?|\S", text.removeprefix("$"))  # in a string: ${
        words += own
        names.update(own if kind in Name else ())
    return words, names


def end_of(words: list[str], begin: int) -> int:
    """Where the bracket that opens here is closed."""
    depth = 0
    for i in range(begin, len(words)):
        depth += (words[i] in OPENING) - (words[i] in CLOSING)
        if depth == 0:
            return i
    return len(words) - 1


def bound(words: list[str]) -> set[str]:
    """Every name that the script itself gives: to what it declares, to functions and to what they take."""
    found = set()
    closes = {end_of(words, i): i for i, word in enumerate(words) if word == "("}
    for i, (word, after) in enumerate(pairwise(words)):
        if word in ("function", "class"):
            found.add(after)
        elif after == "=>" and word != ")":
            found.add(word)
        elif word == ")" and after in ("=>", "{") and words[closes[i] - 1] not in CONTROL:
            found.update(words[closes[i] - 1 : i])  # the name of a method, too
        elif word in ("const", "let", "var"):
            at, takes = i + 1, True
            while at < len(words) and words[at] not in {";", "of", "in", *CLOSING}:
                if words[at] in OPENING:
                    end = end_of(words, at)
                    found.update(words[at:end] if takes else ())
                    at = end
                elif takes:
                    found.add(words[at])
                takes = words[at] == ","
                at += 1
    return found


def unknown(source: str) -> set[str]:
    """Names that stand for something (not behind a dot, nor before a colon) which the script does not declare."""
    words, names = tokens(source)
    inner = zip(["", *words], words, [*words[1:], ""], strict=False)
    used = {word for before, word, after in inner if before not in (".", "?.") and after != ":"}
    return used & names - bound(words) - SHARED


pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def page(context):
    page = context.new_page()
    yield page
    page.close()


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_is_strict_parsed_and_names_what_there_is(page, name):
    source = (ASSETS / name).read_text(encoding="utf-8")
    assert '"use strict";' in source.splitlines()[:8], "a name that is never declared would be made silently"
    page.evaluate("source => { new Function(source); }", source)
    missing = page.evaluate("names => names.filter(name => !(name in window))", sorted(unknown(source)))
    assert missing == []


@pytest.mark.parametrize(
    ("source", "missing"),
    [
        ("const a = 1, b = a; c(b)", {"c"}),
        ("for (const [x, { y }] of z) use => x + y + use", {"z"}),
        ("const f = (a, { b, c = 1 }) => a.d + b + `${c} e ${g}`; function h(i) { return { j: i, k() {} }; }", {"g"}),
        ("try { a } catch (error) { error } /* b */ // c\nx = 'd'", {"a", "x"}),
    ],
)
def test_names_that_nothing_declares_are_found(source, missing):
    assert unknown(source) == missing
