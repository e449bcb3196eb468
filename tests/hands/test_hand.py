"""The hand's skeleton keeps its bones, and every letter is a pose of its own."""

import pytest
import torch

from vitcourse.data.letters import LETTERS
from vitcourse.hands import hand
from vitcourse.hands.draws import Draws, Typical

ALL = torch.arange(26)


def bones(joints: torch.Tensor) -> torch.Tensor:
    """Lengths (B, 5, 3) of the three bones of thumb, index, … little finger."""
    fingers = joints[:, 1:].unflatten(1, (5, 4))
    return (fingers[:, :, 1:] - fingers[:, :, :-1]).norm(dim=-1)


def test_bones_have_the_lengths_of_the_table():
    table = torch.tensor([hand.THUMB_BONES, *hand.FINGER_BONES], dtype=torch.float64)
    torch.testing.assert_close(bones(hand.joints(ALL, Typical(26))), table.expand(26, 5, 3))
    # Chance changes the size of the fingers as a whole, by a few per cent, and never a bone's share.
    found = bones(hand.joints(ALL, Draws(0, range(26)))) / table
    torch.testing.assert_close(found, found[:, :, :1].expand_as(found))
    torch.testing.assert_close(found[:, 1:], found[:, 1:2].expand(26, 4, 3))
    torch.testing.assert_close(found[:, 0], torch.ones(26, 3).double())
    assert 0.8 < found.min() < 1 < found.max() < 1.2


def test_knuckles_stay_where_the_palm_has_them():
    found = hand.joints(ALL, Draws(3, range(26)))
    torch.testing.assert_close(found[:, 5::4], torch.tensor(hand.KNUCKLES).double().expand(26, 4, 3), rtol=0, atol=1e-6)
    torch.testing.assert_close(found[:, 0], torch.zeros(26, 3).double())


def test_fingers_are_straight_or_bent_as_the_letter_says():
    found = hand.joints(ALL, Typical(26))
    reach = (found[:, 8::4] - found[:, 5::4]).norm(dim=-1) / bones(found)[:, 1:].sum(-1)  # (26, index … little)
    straight = {letter: "".join("imrl"[k] for k in range(4) if reach[n, k] > 0.95) for n, letter in enumerate(LETTERS)}
    expected = {
        "A": "",
        "B": "imrl",
        "D": "i",
        "F": "mrl",
        "I": "l",
        "L": "i",
        "S": "",
        "U": "im",
        "V": "im",
        "W": "imr",
        "Y": "l",
    }
    assert {letter: straight[letter] for letter in expected} == expected
    assert reach[LETTERS.index("S")].max() < 0.6


def test_every_letter_looks_unlike_every_other():
    typical = Typical(26)
    found = hand.joints(ALL, typical) @ hand.views(ALL, typical).transpose(1, 2)  # I and J differ in the view alone
    found = found - found.mean(1, keepdim=True)
    apart = (found[:, None] - found[None]).norm(dim=-1).amax(-1)  # (26, 26): the joint that differs the most, cm
    nearest = apart.masked_fill(torch.eye(26, dtype=torch.bool), torch.inf)
    assert nearest.min() > 1.0


def test_views_turn_and_do_not_mirror():
    turn = hand.views(ALL, Draws(1, range(26)))
    torch.testing.assert_close(turn @ turn.transpose(1, 2), torch.eye(3).double().expand(26, 3, 3))
    torch.testing.assert_close(torch.linalg.det(turn), torch.ones(26).double())
    typical = hand.views(ALL, Typical(26))
    torch.testing.assert_close(typical[LETTERS.index("B")], torch.eye(3).double())
    # G is held sideways: what points up in the palm's frame points to the left.
    up = typical[LETTERS.index("G")][:, 1]
    assert up[0] < -0.95


def test_chosen_views_follow_their_weights():
    letters = torch.full((2000,), LETTERS.index("L"))
    shown_from_behind = hand.views(letters, Draws(0, range(2000)))[:, 2, 2] < 0
    assert 0.12 < shown_from_behind.double().mean() < 0.18


def test_the_arm_is_longer_than_the_smallest_hand_leaves_room_for():
    typical = Typical(26)
    start, end, _ = hand.cones(hand.joints(ALL, typical), ALL, typical)
    arm = torch.tensor(hand.PARTS) == hand.FOREARM
    lengths = (end[:, arm] - start[:, arm]).norm(dim=-1)  # two pairs of cones, one behind the other
    assert ((lengths[:, 0] + lengths[:, 1]) > 40).all()


def test_cones_cover_the_bones_and_the_nails_face_outwards():
    typical = Typical(26)
    joints = hand.joints(ALL, typical)
    start, end, radii = hand.cones(joints, ALL, typical)
    assert start.shape == end.shape == (26, len(hand.PARTS), 3)
    assert radii.shape == (26, len(hand.PARTS), 2)
    assert radii.min() > 0.5
    fingers = joints[:, 1:].unflatten(1, (5, 4))
    torch.testing.assert_close(start[:, :15].unflatten(1, (5, 3)), fingers[:, :, :-1])
    torch.testing.assert_close(end[:, :15].unflatten(1, (5, 3)), fingers[:, :, 1:])
    nails = hand.nail_normals(joints)
    torch.testing.assert_close(nails.norm(dim=-1), torch.ones(26, 5).double())
    tips = joints[:, 4::4] - joints[:, 3::4]
    assert (nails * tips).sum(-1).abs().max() < 1e-6
    b, s = (nails[LETTERS.index(letter), 1:, 2] for letter in "BS")
    assert b.max() < -0.9, "the nails of straight fingers face away from one who sees the palm"
    assert s.min() > 0, "the nails of a fist face one who sees the palm"


@pytest.mark.parametrize("indices", [[7], [3, 7], [7, 8, 9]])
def test_draws_depend_on_seed_and_index_alone(indices):
    def numbers(draws: Draws) -> torch.Tensor:
        chosen = draws.choose(torch.tensor([1.0, 2.0, 3.0])).float()
        return torch.cat(
            [draws.uniform(-1, 1, 4), draws.normal(2.0, 3), draws.chance(0.5, 2).float(), chosen[:, None]], 1
        )

    row = indices.index(7)
    expected = numbers(Draws(5, range(20)))[7]
    assert torch.equal(numbers(Draws(5, indices))[row], expected)
    assert not torch.equal(numbers(Draws(6, indices))[row], expected)


def test_draws_have_the_distributions_they_promise():
    draws = Draws(0, range(4000))
    uniform, normal = draws.uniform(2, 5), draws.normal(3.0)
    assert uniform.min() >= 2
    assert uniform.max() < 5
    assert abs(uniform.mean() - 3.5) < 0.06
    assert abs(normal.mean()) < 0.2
    assert abs(normal.std() - 3) < 0.15
    assert abs(draws.chance(0.3).float().mean() - 0.3) < 0.03
    shares = torch.bincount(draws.choose(torch.tensor([2.0, 0.0, 6.0])), minlength=3) / 4000
    torch.testing.assert_close(shares, torch.tensor([0.25, 0.0, 0.75]), atol=0.03, rtol=0)
