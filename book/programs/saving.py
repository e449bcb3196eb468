"""The download button of a built page: it saves the file under its name, from ``file://`` and from a server alike.

The theme links to the file and opens it in a tab, where a browser shows a notebook as JSON. A link that asks for a
download is not enough: under ``file://`` each file is an origin of its own, and the browser opens it all the same. So
each page holds its file, and saves that.
"""

import base64
import re
from pathlib import Path
from urllib.parse import unquote

BUTTON = re.compile(r'<a href="([^":]*)" target="_blank"(\s+class="btn btn-sm btn-download-(?:source|notebook)-button)')


def hold_downloads(html: Path) -> None:
    """Put into each page of a built book, in place of the link to a file, the file itself."""
    for page in html.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        held = BUTTON.sub(lambda button, page=page: saving_link(page, button), text)
        if held != text:
            page.write_text(held, encoding="utf-8")


def saving_link(page: Path, button: re.Match) -> str:
    """The opening tag of the button's link, with the file that it leads to from its page."""
    file = page.parent / unquote(button[1])
    content = base64.b64encode(file.read_bytes()).decode()
    # Of no type that a browser would show.
    return f'<a href="data:application/octet-stream;base64,{content}" download="{file.name}"{button[2]}'
