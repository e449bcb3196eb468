"""The recorded run ``faces_orl``: models of faces compared on the ORL set, 40 people with 10 grey pictures each.

The models are the four blocks of lesson 07, the plain one once more from the weights of the sign model, a DeiT III, a
ResNet-18 and, beside them, eigenfaces. Of each person 5 pictures are for training, 1 for validation and 4 for the test,
which each model reads once. With each seed the plain block is also trained on some of the people only, to see what it
says of the others.

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
