"""Rendered heads: what they depend on, and that a person is the same in all pictures."""

import pytest
import torch

from vitcourse.errors import InputError
from vitcourse.hands import Draws
from vitcourse.heads import render
from vitcourse.heads.people import PLAIN, SHAPES, draw_face, draw_look
from vitcourse.heads.surface import head

SIZE = 32


def apart(one, other):
    return (one.float() - other.float()).abs().mean().item()


def test_a_picture_depends_on_its_own_numbers_alone():
    all_of_them = render(torch.tensor([3, 3, 1]), seed=5, size=SIZE, first=10)
    assert (all_of_them.shape, all_of_them.dtype) == ((3, 3, SIZE, SIZE), torch.uint8)
    assert torch.equal(render(torch.tensor([3]), seed=5, size=SIZE, first=11)[0], all_of_them[1])
    assert torch.equal(render(torch.tensor([1]), seed=5, size=SIZE, first=12)[0], all_of_them[2])
    for seed, first, person in ((6, 11, 3), (5, 12, 3), (5, 11, 4)):
        assert apart(render(torch.tensor([person]), seed=seed, size=SIZE, first=first)[0], all_of_them[1]) > 3


def test_who_it_is_and_how_it_is_taken_are_drawn_apart():
    """The same picture of two people differs in the person alone, and the plain view is one for each person."""
    faces = [draw_face(Draws(0, [person])) for person in (1, 1, 2)]
    assert faces[0].shape == faces[1].shape != faces[2].shape
    assert draw_look(Draws(0, [7])) == draw_look(Draws(0, [7])) != draw_look(Draws(0, [8]))
    plain = render(torch.tensor([1, 2, 1]), seed=0, size=SIZE, plain=True)
    assert torch.equal(plain[0], plain[2])
    assert apart(plain[0], plain[1]) > 3


def test_people_spread_as_the_table_says():
    faces = [draw_face(Draws(0, [person])).shape for person in range(300)]
    for name, (middle, spread) in SHAPES.items():
        values = torch.tensor([shape[name] for shape in faces])
        assert abs(values.mean() - middle) < 0.25 * spread, name
        assert 0.8 * spread < values.std() < 1.1 * spread, name


def test_a_head_is_whole():
    """Nothing is not a number, normals have length 1, and what is painted stays between black and white."""
    for person in range(6):
        points = head(draw_face(Draws(1, [person])), PLAIN, step=0.5)
        for part in (points.place, points.normal, points.colour, points.gloss):
            assert part.isfinite().all()
            assert len(part) == len(points.place)
        assert (points.normal.norm(dim=1) - 1).abs().max() < 1e-3
        assert 0 <= points.colour.min() <= points.colour.max() <= 1


def test_the_face_has_no_holes():
    """Nothing of the wall is seen through a plain face."""
    for image in render(torch.arange(4), seed=0, size=64, plain=True):
        middle = image[:, 20:52, 22:42].float()
        assert ((middle - 0.62 * 255).abs() < 0.6).all(0).sum() == 0


@pytest.mark.parametrize(
    ("people", "options", "words"),
    [
        (torch.tensor([-1]), {}, "people must be"),
        (torch.tensor([1.0]), {}, "people must be"),
        (torch.tensor([[1]]), {}, "people must be"),
        (torch.tensor([1]), {"size": 8}, "size must be 32 to 1024 pixels, got 8"),
        (torch.tensor([1]), {"seed": -1}, "seed and first must be 0 or more"),
    ],
)
def test_numbers_out_of_range(people, options, words):
    with pytest.raises(InputError, match=words):
        render(people, **({"seed": 0} | options))


def test_none_is_none():
    assert render(torch.empty(0, dtype=torch.int64), seed=0, size=40).shape == (0, 3, 40, 40)
