"""How a report looks: a table in a notebook, plain text elsewhere. Symbols and words say the same as the colours."""

import html
import re
import sys
import textwrap
from collections.abc import Callable

from vitcourse.checks.engine.report import Report

SYMBOLS = {"passed": "✓", "failed": "✗", "not tried": "–", "not run": "–"}
PLAIN_SYMBOLS = {"passed": "+", "failed": "x", "not tried": "-", "not run": "-"}

# Text takes the page's colour, whatever its theme; the badges bring their own background (contrast above 5 to 1).
# The class is doubled to outweigh what JupyterLab and the book say of tables in an output.
STYLE = """
.vitcourse-check { max-width: 46rem; margin: 0.4rem 0; font-size: 0.95em; line-height: 1.5; }
.C table { width: 100%; margin: 0; border-collapse: collapse; border: 0; font-size: inherit; color: inherit; }
.C caption { caption-side: top; text-align: left; padding: 0 0 0.4rem; color: inherit; font-weight: 600; }
.C table tr:nth-child(n) { background: none; border: 0; }
.C table tr:nth-child(n) :is(th, td) { max-width: none; padding: 0.3rem 0.7rem 0.3rem 0; border: 0;
  border-top: 1px solid rgba(128, 128, 128, 0.4); background: none; color: inherit; text-align: left;
  vertical-align: top; white-space: normal; font-weight: 400; }
.C table thead tr:nth-child(n) th { border-top: 0; font-weight: 600; }
.C table tr:nth-child(n) :is(th, td):first-child { width: 7.2rem; white-space: nowrap; }
.C .badge { display: inline-block; padding: 0 0.55em; border-radius: 0.8em; color: #fff; font-size: 0.9em;
  font-weight: 600; line-height: 1.6; }
.C .passed { background: #1a6b34; }
.C .failed { background: #b3261e; }
.C .not-run, .C .not-tried { background: #57606a; }
.C .message { margin-top: 0.7rem; padding: 0.5rem 0.9rem; border-left: 4px solid #b3261e;
  background: rgba(128, 128, 128, 0.12); }
.C .message p { margin: 0 0 0.4rem; }
.C .message p:last-child { margin-bottom: 0; }
.C code { padding: 0 0.25em; border: 0; border-radius: 3px; background: rgba(128, 128, 128, 0.2); color: inherit;
  overflow-wrap: anywhere; white-space: normal; }
.C pre { margin: 0; padding: 0.4rem 0.6rem; border: 0; background: rgba(128, 128, 128, 0.12); color: inherit;
  font-size: 0.9em; line-height: 1.45; white-space: pre; overflow-x: auto; }
""".replace(".C ", ".vitcourse-check.vitcourse-check ")


def summary(report: Report) -> str:
    """One line: how many properties hold."""
    total = len(report.results)
    if total == 1:
        return f"{report.exercise}: its one property {'holds' if report.misconception is None else 'does not hold'}"
    count = "all" if report.misconception is None else f"{report.passed} of"
    return f"{report.exercise}: {count} {total} properties hold"


def text(report: Report, width: int = 96, symbols: dict[str, str] = SYMBOLS) -> str:
    """The report as plain text."""
    lines = [summary(report)]
    for name, status in report.results:
        lines.append(f"  {symbols[status]} {status:9}  {name}")
    if report.misconception is not None:
        lines += ["", *textwrap.wrap(f"{report.misconception}: {report.message}", width)]
        lines += textwrap.wrap(report.detail, width)
        lines += ["", "To try it yourself:", *textwrap.indent(report.given, "  ").splitlines()] if report.given else []
    return "\n".join(lines)


def badge(status: str) -> str:
    """A status as HTML: a symbol and a word on a colour."""
    symbol = f'<span aria-hidden="true">{SYMBOLS[status]}</span>'
    return f'<span class="badge {status.replace(" ", "-")}">{symbol} {status}</span>'


def as_html(report: Report) -> str:
    """The report as an HTML fragment that brings its style with it."""
    rows = "\n".join(f"<tr><td>{badge(status)}</td><td>{inline(name)}</td></tr>" for name, status in report.results)
    message = ""
    if report.misconception is not None:
        rest = report.message.removeprefix(report.headline).strip()
        paragraphs = [f"<strong>{inline(report.headline)}</strong> {inline(rest)}", inline(report.detail)]
        paragraphs = "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs if paragraph)
        if report.given:
            paragraphs += f'<p>To try it yourself:</p><pre tabindex="0">{html.escape(report.given)}</pre>'
        message = f'<div class="message" data-misconception="{html.escape(report.misconception)}">{paragraphs}</div>\n'
    return (
        f'<div class="vitcourse-check">\n<style>{STYLE}</style>\n'
        f"<table>\n<caption>{inline(summary(report))}</caption>\n"
        '<thead><tr><th scope="col">Result</th><th scope="col">Property</th></tr></thead>\n'
        f"<tbody>\n{rows}\n</tbody>\n</table>\n{message}</div>"
    )


def show(report: Report) -> None:
    """Shows the report: as a table in a notebook, as text elsewhere."""
    present(as_html(report), lambda symbols: text(report, symbols=symbols))


def present(as_html: str, as_text: Callable[[dict[str, str]], str]) -> None:
    """Shows HTML in a notebook, and elsewhere the text that ``as_text`` makes with symbols that can be printed."""
    if _in_notebook():
        from IPython.display import display

        display({"text/html": as_html, "text/plain": as_text(SYMBOLS)}, raw=True)
        return
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        "".join(SYMBOLS.values()).encode(encoding)
        print(as_text(SYMBOLS))
    except UnicodeEncodeError:  # a terminal with a small alphabet
        print(as_text(PLAIN_SYMBOLS).encode(encoding, "replace").decode(encoding))


def _in_notebook() -> bool:
    """Whether a notebook's kernel runs this (and not a script, or IPython in a terminal)."""
    if "IPython" not in sys.modules:
        return False
    from IPython import get_ipython

    return hasattr(get_ipython(), "kernel")


def inline(words: str) -> str:
    """Escaped for HTML, with `code` between backquotes set as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(words))
