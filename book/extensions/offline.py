"""Sphinx extension: nothing on a built page asks for anything off the machine.

sphinx-thebe would: Jupyter Book always loads it, and its script names a host on each page, although live code is off in
this book. (MathJax comes from the package sphinx-mathjax-offline.)
"""


def drop_thebe(app, _config):
    """Disconnect sphinx-thebe, which Jupyter Book loads whether it is used or not."""
    for event in ("env-before-read-docs", "doctree-resolved"):
        for listener in list(app.events.listeners[event]):
            if listener.handler.__module__ == "sphinx_thebe":
                app.disconnect(listener.id)


def setup(app):
    app.connect("config-inited", drop_thebe)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
