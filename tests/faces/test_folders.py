"""Training on identity folders as they come: it ends with a run that knows them by name, or with one line."""

import tempfile
import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from vitcourse.commands.answering import load as load_answering
from vitcourse.data.faces import in_memory, load
from vitcourse.data.images import decode
from vitcourse.errors import DataError
from vitcourse.faces import PRESETS, train_faces
from vitcourse.training import TrainingConfig
from vitcourse.vit import ViTConfig

VIT = ViTConfig(image_size=8, patch_size=4, dim=8, depth=1, num_heads=1)
RUN = replace(PRESETS["cpu"], vit=VIT, training=TrainingConfig(epochs=1, batch_size=4))
# A letter with an accent, as one sign and as two; a line's end; marks of rich, of formats and of options; no UTF-8.
NAMES = st.text("aéE\u0301ß 名[}%-\n\udcff", min_size=1, max_size=5)


@pytest.mark.trains
@settings(max_examples=25)
@given(st.dictionaries(NAMES, st.integers(2, 5), min_size=1, max_size=4))
def test_any_folder_is_learned_by_name_or_refused_in_one_line(people):
    names = [unicodedata.normalize("NFC", name) for name in sorted(people)]
    with tempfile.TemporaryDirectory() as place:
        root, out = Path(place, "data"), Path(place, "run")
        for number, (name, count) in enumerate(people.items()):
            (root / name).mkdir(parents=True)
            for index in range(count):
                Image.new("RGB", (8, 8), (60 * number, 40 * index, 200)).save(root / name / f"{index}.png")
        if len(set(names)) < max(2, len(names)) or min(people.values()) < 3:
            with pytest.raises(DataError) as caught:
                load(root, copies=())
            assert len(str(caught.value).splitlines()) == 1
            return
        train_faces(RUN, in_memory(load(root, copies=()), 8), out)
        answering = load_answering(out)
        assert answering.description.labels == names
        found = answering(decode(root / sorted(people)[0] / "0.png"), len(names))
        assert sorted(one["label"] for one in found["top"]) == sorted(names)
        assert sum(one["share"] for one in found["top"]) == pytest.approx(1, abs=1e-5)
        assert found["unknown"] in (True, False)
