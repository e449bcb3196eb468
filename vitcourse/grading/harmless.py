"""What a student wrote or is called, made such that no page and no program takes it for anything but text.

nbgrader's formgrader lies under the same address as JupyterLab: what acts there acts with the instructor's rights.
"""

import hashlib
import re

JOINER = "\u2060"  # word joiner: nobody sees it, and no syntax has it between its signs
# Where a tag, an automatic link, the address of a link or image, or of one defined elsewhere, or a bare address begins.
SYNTAX = re.compile(r"<(?=[a-zA-Z/!?])|\](?=[(\[:])|(?<=[a-zA-Z]):(?=//)|\b(?<=www)(?=\.)")
# What ends a text in JavaScript, begins a tag, or stands for something in an address.
SIGNS = re.compile(r'["#%/<>?\\]')
WIDE = re.compile(r"[\uff01-\uff5e]")


def as_text(markdown: str) -> str:
    """Markdown in which tags, links and images are their own text: a word joiner parts the signs that make them.

    Emphasis, lists, code and formulas stay. CommonMark 0.31, sections 6.3 to 6.6; GFM 0.29, section 6.9.
    """
    return SYNTAX.sub(lambda found: found[0] + JOINER, markdown)


def as_written(text: str) -> str:
    """The inverse of `as_text`."""
    return text.replace(JOINER, "")


def as_id(name: str) -> str:
    """A student's name for nbgrader, whose pages escape none of it.

    Signs of tags, JavaScript and addresses become their wide forms (``<`` to ``＜``). A name that has any has eight
    letters behind it that tell it from every other one; all others stay as they are.
    """
    if not SIGNS.search(name) and not WIDE.search(name):
        return name
    wide = SIGNS.sub(lambda sign: chr(ord(sign[0]) + 0xFEE0), name)
    return f"{wide} {hashlib.sha256(name.encode()).hexdigest()[:8]}"
