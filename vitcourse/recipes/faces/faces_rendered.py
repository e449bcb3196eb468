"""The recorded run ``faces_rendered``: models of faces compared on 40 rendered people, 10 pictures each.

The models, the split and the budget are those of ``faces_orl``.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from vitcourse.data.faces import synthesise
from vitcourse.faces.models import SIGNS
from vitcourse.recipes import Say, recipe
from vitcourse.recipes.faces import compare

PEOPLE, IMAGES, SEED = 40, 10, 0


@recipe("faces_rendered")
def record(say: Say) -> Iterator[dict]:
    """Renders the people, then trains and measures every model with every seed."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "faces"
        synthesise(data, PEOPLE, IMAGES, SIGNS.image_size, SEED)  # the largest that a model reads
        yield from compare.compared("faces_rendered", data, say)
