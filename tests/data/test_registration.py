"""Copies of a photo laid over each other: the map that is found is the one that was made."""

import torch
from sklearn.datasets import load_sample_image
from torchvision.io import write_jpeg

from vitcourse.data.altered import Alteration, alter
from vitcourse.data.registration import register


def test_registration_finds_the_map(tmp_path):
    photo = torch.from_numpy(load_sample_image("china.jpg"))[100:356, 200:456].permute(2, 0, 1).contiguous()
    made = [
        Alteration(False, (0, 0), 250, 4.0, (-3.0, 2.0), 1.1, 0.3),
        Alteration(True, (6, 3), 240, -5.0, (4.0, -4.0), 0.8, 0),
    ]
    for i, one in enumerate(made):
        write_jpeg(alter(photo, one), str(tmp_path / f"{i}.jpg"), quality=90)
    found = register([tmp_path / "0.jpg", tmp_path / "1.jpg"], [(0, 1), (1, 0)])
    first, second = (shear @ turn for turn, shear in (one.steps() for one in made))
    mirror = torch.diag(torch.tensor([-1.0, 1.0]))
    assert found.mirrored.tolist() == [True, True]
    for linear, (one, other) in zip(found.linear, ((first, second), (second, first)), strict=True):
        torch.testing.assert_close(linear, mirror @ other @ mirror @ torch.linalg.inv(one), atol=0.004, rtol=0)
    assert (found.similarity > 0.9).all()


def test_an_image_lies_on_itself(tmp_path):
    photo = torch.from_numpy(load_sample_image("flower.jpg"))[:200, :300].permute(2, 0, 1).contiguous()
    write_jpeg(photo, str(tmp_path / "0.jpg"))
    found = register([tmp_path / "0.jpg"], [(0, 0)])
    torch.testing.assert_close(found.linear[0], torch.eye(2), atol=1e-3, rtol=0)
    torch.testing.assert_close(found.shift[0], torch.zeros(2), atol=0.05, rtol=0)
    assert not found.mirrored[0]
    assert found.similarity[0] > 0.999
