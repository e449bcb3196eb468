"""What a file is that is no notebook, in a few words, for those who look for the notebook that was meant."""

import re
from pathlib import PurePath

HEAD = 512  # bytes of a file that tell its kind
PDF, OLD_OFFICE = b"%PDF", b"\xd0\xcf\x11\xe0"
# A PDF's trailer stands in plain text, also where all else is encrypted (ISO 32000-1, section 7.5.5).
ENCRYPTED = re.compile(rb"/Encrypt\s*(<<|\d+\s+\d+\s+R\b)")
# What a file begins with says more than its name.
MAGIC = {
    PDF: "a PDF",
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"GIF8": "a GIF picture",
    OLD_OFFICE: "an old Office document",
    b"{\\rtf": "an RTF document",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"Rar!": "a RAR archive",
    b"\x1f\x8b": "a gzip archive",
    b"\xfd7zXZ": "an xz archive",
    b"PK": "a zip",
    b"-----BEGIN PGP MESSAGE": "an encrypted file",
}
SUFFIXES = {
    ".py": "a Python program",
    ".md": "a Markdown text",
    ".tex": "a LaTeX text",
    ".txt": "a text",
    ".csv": "a table",
    ".json": "a JSON file that is no notebook",
    ".docx": "a Word document",
    ".xlsx": "an Excel table",
    ".pptx": "a PowerPoint document",
    ".odt": "an OpenDocument text",
    ".pages": "a Pages document",
    ".tar": "a tar archive",
    ".heic": "a HEIC picture",
    ".webp": "a WebP picture",
    ".svg": "an SVG picture",
    ".pt": "weights of a model",
    ".pth": "weights of a model",
    ".safetensors": "weights of a model",
    ".mp4": "a film",
    ".mov": "a film",
    ".url": "a link to a page",
    ".webloc": "a link to a page",
    ".gpg": "an encrypted file",
    ".pgp": "an encrypted file",
    ".age": "an encrypted file",
}
OFFICE = (".docx", ".xlsx", ".pptx", ".odt", ".pages")  # these are zips, but of no notebooks


def kind(name: str, head: bytes, rest: bytes = b"") -> str:
    """In words: ``"a PDF"``.

    Args:
        name: of the file.
        head: its first bytes.
        rest: the bytes behind these, of a PDF.
    """
    if not head:
        return "an empty file"
    suffix = PurePath(name.lower()).suffix
    if head.startswith(PDF) and ENCRYPTED.search(head + rest):
        return "an encrypted PDF"
    if suffix in OFFICE and head.startswith(OLD_OFFICE):
        # [MS-OFFCRYPTO]: a document with a password is the old container, and no zip.
        return f"{SUFFIXES[suffix]} with a password"
    return SUFFIXES[suffix] if suffix in OFFICE else by_content(head) or SUFFIXES.get(suffix, "of another kind")


def by_content(head: bytes) -> str:
    """The same where the first bytes alone tell it, and else nothing."""
    text = plain_text(head).lower()
    if text.startswith("<") and ("<html" in text or text.startswith("<!doctype html")):
        return "a web page"
    return next((words for magic, words in MAGIC.items() if head.startswith(magic)), "")


def plain_text(head: bytes) -> str:
    """The beginning of a text in whatever Unicode form it is stored, without blanks before it."""
    form = "utf-16" if head.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    if form == "utf-8-sig" and b"\0" in head[:4]:
        form = "utf-16-be" if head.startswith(b"\0") else "utf-16-le"
    return head.decode(form, "replace").lstrip("\ufeff\0 \t\r\n\x0b\x0c")
