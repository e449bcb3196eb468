"""What a kernel says its cells have put out, made into notebook outputs: checked, cleaned and cut once more."""

import base64
import binascii
import re
from collections.abc import Sequence

from nbformat import NotebookNode
from nbformat.v4 import new_output

LIMIT = 2**20  # characters that the outputs of one cell may have
PNG = b"\x89PNG\r\n\x1a\n"
UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
LINES = re.compile(r"[\t\n\x85\u2028\u2029]+")
NAMES = 5
CUT = "\n[The output is cut here.]\n"


def clean_text(text: object) -> str:
    """Text that every file and page can hold: no control characters, no half characters; "" for anything else."""
    if not isinstance(text, str):
        return ""
    return UNSEEN.sub("", text.replace("\r\n", "\n").encode("utf-8", "replace").decode("utf-8"))


def clean_name(name: str) -> str:
    """The name of a file or a person on one line."""
    return LINES.sub(" ", clean_text(name))


def listed(names: Sequence[str]) -> str:
    """At most five names, and how many more there are."""
    more = len(names) - NAMES
    return ", ".join(names[:NAMES]) + (f" and {more} more" if more > 0 else "")


def clean(items: object) -> list[NotebookNode]:
    """The outputs of a cell, from what `shell.Outputs.plain` made of them, or what somebody put in its place."""
    outputs, room = [], LIMIT
    for item in items if isinstance(items, list) else []:
        if room <= 0:
            outputs.append(new_output("stream", name="stderr", text=CUT))
            break
        output = _clean_item(item, room) if isinstance(item, dict) else None
        if output is not None:
            outputs.append(output)
            # The frame of an output costs room too, so that a million empty ones are cut as well.
            room -= len(str(output))
    return outputs


def _clean_item(item: dict, room: int) -> NotebookNode | None:
    kind = item.get("kind")
    if kind == "stream":
        name = "stderr" if item.get("name") == "stderr" else "stdout"
        return new_output("stream", name=name, text=clean_text(item.get("text"))[:room])
    if kind == "error":
        return error(*(clean_text(item.get(name))[:room] for name in ("name", "text", "trace")))
    if kind == "data" and isinstance(item.get("data"), dict):
        data = {"text/plain": clean_text(item["data"].get("text/plain"))[:room]}
        picture = item["data"].get("image/png")
        if isinstance(picture, str) and len(picture) <= room and _is_png(picture):
            data["image/png"] = picture
        return new_output("display_data", data=data)
    return None


def _is_png(text: str) -> bool:
    try:
        return base64.b64decode(text.strip().encode("ascii"), validate=True).startswith(PNG)
    except (binascii.Error, ValueError):
        return False


def error(name: str, text: str, trace: str = "") -> NotebookNode:
    """An output that says that a cell failed."""
    return new_output("error", ename=name, evalue=text, traceback=trace.splitlines() or [f"{name}: {text}"])
