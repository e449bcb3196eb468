"""What pages are told of the sign model: the folded stem is the stem, and what is recorded is what the model says."""

import base64
import io
import json

import pytest
import torch
import torch.nn.functional as F

from vitcourse import results
from vitcourse.asl.backbones.ours import SMALL_VIT
from vitcourse.data.asl import resize
from vitcourse.data.images import decode
from vitcourse.data.letters import LETTERS
from vitcourse.recipes.asl_finetuning import sign_pictures
from vitcourse.recipes.asl_finetuning.sign_backbone import hand_model


@pytest.fixture(scope="module")
def model():
    return hand_model()


def test_the_record_is_what_the_model_says(model):
    recorded = results.load("sign_pictures")
    for picture in recorded["pictures"]:
        image = decode(io.BytesIO(base64.b64decode(picture["jpeg"])))
        said = sign_pictures.answers(model, resize(image, SMALL_VIT.image_size)[None])
        letter, share = picture["top"][0]
        assert LETTERS[said["logits"][0].argmax()] == letter
        assert abs(said["logits"][0].softmax(dim=0).max().item() - share) < 0.01
        torch.testing.assert_close(said["box"][0], torch.tensor(picture["box"]), rtol=0, atol=0.002)
        torch.testing.assert_close(said["reads"][0], torch.tensor(picture["reads"]), rtol=0, atol=0.001)
    first, *_, last = recorded["pictures"]
    assert first["top"][0][0] == first["letter"]
    assert last["top"][0][0] != last["letter"]  # one that is wrong, so that nobody takes it for an oracle


def test_the_script_holds_the_stem_without_its_batch_norms(model, monkeypatch):
    given = {}
    monkeypatch.setattr(sign_pictures, "as_script", lambda name, weights, **facts: given.update(weights, facts=facts))
    sign_pictures.script(model)
    images = torch.randn(2, 3, SMALL_VIT.image_size, SMALL_VIT.image_size)
    x = images
    for layer in given["facts"]["stem"]:
        kernel = given[f"{layer['name']}.weight"].unflatten(1, (layer["side"], layer["side"], -1)).permute(0, 3, 1, 2)
        x = F.conv2d(x, kernel, given[f"{layer['name']}.bias"], layer["stride"], layer["side"] // 2)
        x = x.relu() if layer["relu"] else x
    with torch.no_grad():
        torch.testing.assert_close(x, model.backbone.patch_embed.proj(images), rtol=1e-4, atol=1e-4)
    assert {"blocks.5.mlp.fc2.weight", "letter.weight", "parts.1.bias", "fc_norm.weight"} <= set(given)


def test_sign_pictures_records(folder, monkeypatch):
    monkeypatch.setattr(sign_pictures, "CHOSEN", (("W", 48),))
    monkeypatch.setattr(sign_pictures, "PIXELS", 64)
    said = []
    content = json.loads(sign_pictures.record(None, said.append).read_text())
    assert [picture["letter"] for picture in content["pictures"]] == ["W"]
    assert [look["letter"] for look in content["looks"]] == ["L", "V", "Y", ""]
    assert len(base64.b64decode(content["looks"][0]["weights"])) == 2 * 6 * 3 * 37 * 37
    assert len(content["looks"][0]["hand"]) == 36
    assert 0 < content["blind"][0] < content["blind"][2] < 1
    assert len(said) == 1
