"""Sphinx extension: repairs to the HTML of the theme and of other extensions, found with axe.

What a template can mend is mended in book/assets/templates; here is what extensions write into the page's body.
"""

REPAIRS = (
    # sphinxcontrib-bibtex: a list role whose children are no list items, and a role that ARIA has withdrawn.
    ('<div role="list" class="citation-list">', '<div class="citation-list">'),
    (' role="doc-biblioentry"', ""),
    # myst-nb: the label of a folded cell must hold the words that are seen.
    ('<summary aria-label="Toggle hidden content">', "<summary>"),
)


def repair(app, pagename, templatename, context, doctree):  # noqa: ARG001 - the signature is Sphinx's
    body = context.get("body")
    if body:
        for broken, mended in REPAIRS:
            body = body.replace(broken, mended)
        context["body"] = body


# pydata: the switch that unfolds the pages below another in the side bar has an icon and no name.
SWITCH = '<summary><span class="toctree-toggle"'
NAMED_SWITCH = '<summary aria-label="Further pages"><span class="toctree-toggle"'


def name_switches(app, pagename, templatename, context, doctree):  # noqa: ARG001 - the signature is Sphinx's
    make = context.get("generate_toctree_html")
    if make:
        context["generate_toctree_html"] = lambda *args, **options: str(make(*args, **options)).replace(
            SWITCH, NAMED_SWITCH
        )


def setup(app):
    app.connect("html-page-context", repair)
    # After the theme has put its function there.
    app.connect("html-page-context", name_switches, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
