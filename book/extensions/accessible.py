"""Sphinx extension: repairs to the HTML of the theme and of other extensions, found with axe.

What a template can mend is mended in book/assets/templates; here is what extensions write into the page's body.
"""

import re

REPAIRS = (
    # sphinxcontrib-bibtex: a list role whose children are no list items, and a role that ARIA has withdrawn.
    ('<div role="list" class="citation-list">', '<div class="citation-list">'),
    (' role="doc-biblioentry"', ""),
    # myst-nb: the label of a folded cell must hold the words that are seen.
    ('<summary aria-label="Toggle hidden content">', "<summary>"),
)
# A line does not begin with the full stop that follows a formula.
FORMULA = re.compile(r'(<span class="math notranslate nohighlight">[^<]*</span>)([.,;:?!)\]]+)')


def repair(app, pagename, templatename, context, doctree):  # noqa: ARG001 - the signature is Sphinx's
    body = context.get("body")
    if body:
        for broken, mended in REPAIRS:
            body = body.replace(broken, mended)
        context["body"] = FORMULA.sub(r'<span class="together">\1\2</span>', body)


# The title of a page, in two parts: what follows the colon stands on a line of its own.
TITLE = re.compile(r"<h1>([^<:]+): ([^<]+)(?=<)")


def split_title(app, pagename, templatename, context, doctree):  # noqa: ARG001 - the signature is Sphinx's
    if body := context.get("body"):
        context["body"] = TITLE.sub(r'<h1>\1<span class="subtitle">\2</span>', body, count=1)


# pydata: the switch that unfolds the pages below another in the side bar has an icon and no name; and nothing but a
# colour says which page one is on.
SWITCH = re.compile(r'>([^<>]+)</a>(<details[^>]*>)<summary>(?=<span class="toctree-toggle")')
CURRENT = '<a class="current reference internal" href="#"'


def name_in_side_bar(app, pagename, templatename, context, doctree):  # noqa: ARG001 - the signature is Sphinx's
    def named(*args, **options) -> str:
        html = SWITCH.sub(r'>\1</a>\2<summary aria-label="Pages of \1">', str(make(*args, **options)))
        return html.replace(CURRENT, f'{CURRENT} aria-current="page"')

    make = context.get("generate_toctree_html")
    if make:
        context["generate_toctree_html"] = named


def setup(app):
    app.connect("html-page-context", repair)
    app.connect("html-page-context", split_title)
    # After the theme has put its function there.
    app.connect("html-page-context", name_in_side_bar, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
