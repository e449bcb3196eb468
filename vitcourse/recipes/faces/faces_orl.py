"""The recorded run ``faces_orl``: the comparison of `compare` on the ORL faces, 40 people with 10 grey pictures each.

The set is Olivetti Research Laboratory's (Samaria and Harter 1994, https://doi.org/10.1109/ACV.1994.341300), and not to
be passed on: the record holds numbers alone.
"""

from collections.abc import Iterator
from pathlib import Path

from vitcourse.recipes import Say, recipe
from vitcourse.recipes.faces import compare


@recipe("faces_orl", needs_data=True)
def record(data: Path, say: Say) -> Iterator[dict]:
    """Trains and measures every model with every seed."""
    yield from compare.compared("faces_orl", data, say)
