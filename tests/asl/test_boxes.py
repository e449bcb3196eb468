"""Box heads against what they say they are, worked out in loops, on maps that are made up."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tests.asl.test_model import backbones
from vitcourse.asl import ClassificationBBoxTransformer, sign_loss
from vitcourse.asl.backbones import adapter
from vitcourse.asl.boxes import MAP_HEADS, Distances, JoinedMap, Sides

D, E, SIDE = 6, 5, 4


def maps(batch=3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(batch, D, 2, 2, generator=generator), torch.randn(batch, E, SIDE, SIDE, generator=generator)


def head(kind, seed=0, scale=1.0):
    """With offsets that are not 0, as after a training."""
    torch.manual_seed(seed)
    made = kind(D, E, SIDE)
    for parameter in made.parameters():
        nn.init.normal_(parameter, std=scale / max(1, parameter[0].numel()) ** 0.5 if parameter.ndim > 1 else 0.1)
    return made.eval()


@torch.no_grad()
def test_maps_are_joined_by_hand():
    coarse, fine = maps()
    joined = head(lambda *sizes: JoinedMap(*sizes[:2], 8))
    normed = torch.stack([joined.norm(coarse[:, :, y, x]) for y in (0, 1) for x in (0, 1)], 2).view_as(coarse)
    large = F.interpolate(joined.coarse(normed), scale_factor=2, mode="bilinear")
    torch.testing.assert_close(joined(coarse, fine), joined.mix(large + joined.fine(fine)))
    alone = JoinedMap(D, 0, 8)
    assert alone(coarse).shape == (3, 8, SIDE, SIDE)
    assert alone.fine is None


@torch.no_grad()
def test_a_side_is_where_its_places_say_it_is():
    """The sum of the class's docstring, place by place; and another side moves nothing but itself."""
    sides, (coarse, fine) = head(Sides, scale=3.0), maps()
    answers, boxes = sides.answer(sides.map(coarse, fine)), sides(coarse, fine)
    for image in range(3):
        for number in range(4):
            scores, offsets = answers[image, number], answers[image, 4 + number]
            shares = scores.exp() / scores.exp().sum()
            place = 0.0
            for y in range(SIDE):
                for x in range(SIDE):
                    middle = ((x if number in (0, 2) else y) + 0.5) / SIDE
                    place += shares[y, x] * (middle + offsets[y, x] / SIDE)
            torch.testing.assert_close(boxes[image, number], place, rtol=0, atol=1e-6)
    shares, _ = sides.places(coarse, fine)
    torch.testing.assert_close(shares.sum((2, 3)), torch.ones(3, 4))
    sides.answer.bias[6] += 1.0  # the right side's offset: one place
    moved = sides(coarse, fine) - boxes
    torch.testing.assert_close(moved, torch.tensor([0, 0, 1 / SIDE, 0]).expand(3, 4), rtol=0, atol=1e-6)


@torch.no_grad()
def test_a_new_head_of_sides_has_no_offsets():
    _, offsets = Sides(D, E, SIDE).places(*maps())
    assert not offsets.any()


@torch.no_grad()
def test_distances_are_means_of_distributions_by_hand():
    asked, (coarse, fine) = head(Distances, scale=3.0), maps()
    answers, boxes = asked.answer(asked.map(coarse, fine)), asked(coarse, fine)
    bins = torch.arange(17) / 16
    for image in range(3):
        total, box = answers[image, 0].exp().sum(), torch.zeros(4)
        for y in range(SIDE):
            for x in range(SIDE):
                four = [(answers[image, 1 + 17 * s : 18 + 17 * s, y, x].softmax(0) * bins).sum() for s in range(4)]
                here = ((x + 0.5) / SIDE, (y + 0.5) / SIDE)
                own = torch.stack([here[0] - four[0], here[1] - four[1], here[0] + four[2], here[1] + four[3]])
                box += answers[image, 0, y, x].exp() / total * own
        torch.testing.assert_close(boxes[image], box, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", MAP_HEADS)
def test_gradients_by_finite_differences(name):
    made, (coarse, fine) = head(MAP_HEADS[name]).double(), maps(2)
    coarse, fine = (part.double().requires_grad_() for part in (coarse, fine))
    with pytest.MonkeyPatch.context() as patch:  # float() is for autocast, and would round here
        patch.setattr(torch.Tensor, "float", lambda self: self)
        assert torch.autograd.gradcheck(made, (coarse, fine), atol=1e-4, nondet_tol=0, fast_mode=True)


@pytest.mark.parametrize("name", MAP_HEADS)
@pytest.mark.parametrize("kind", ["ours", "hugging face", "resnet", "timm"])
def test_every_head_reads_every_backbone(kind, name):
    model = ClassificationBBoxTransformer(backbones()[kind], box_head=name, image_size=32 if kind != "resnet" else 64)
    before = {key: value.clone() for key, value in model.backbone.state_dict().items()}
    logits, boxes = model(torch.randn(2, 3, model.image_size, model.image_size))
    assert (logits.shape, boxes.shape) == ((2, 26), (2, 4))
    sign_loss(logits, boxes, torch.tensor([1, 2]), torch.rand(2, 4))["box"].backward()
    assert all(parameter.grad is not None for parameter in model.bounding_box.parameters())
    assert any(parameter.grad is not None for parameter in model.backbone.parameters())
    assert model.backbone.training
    assert before.keys() == model.backbone.state_dict().keys()


def test_the_finer_map_is_the_stems_before_its_last_halving():
    from vitcourse.asl.backbones.ours import sign_backbone

    backbone = sign_backbone().eval()
    images = torch.rand(1, 3, 96, 96)
    features, coarse, fine = adapter(backbone).features_and_maps(images)
    assert (coarse.shape, fine.shape) == ((1, 192, 6, 6), (1, 128, 12, 12))
    torch.testing.assert_close(fine, backbone.patch_embed.proj[:15](images))
    tokens = backbone.forward_features(images)[:, 1:]
    torch.testing.assert_close(coarse[0, :, 2, 4], tokens[0, 2 * 6 + 4])
    torch.testing.assert_close(features, backbone(images))
    assert not backbone.patch_embed.proj[14]._forward_hooks


def test_a_resnets_maps_are_its_own():
    backbone = backbones()["resnet"].eval()
    images = torch.rand(1, 3, 64, 64)
    _, coarse, fine = adapter(backbone).features_and_maps(images)
    assert (coarse.shape, fine.shape) == ((1, 512, 2, 2), (1, 128, 8, 8))


def test_what_no_head_does_is_named():
    with pytest.raises(ValueError, match="got 'corners'"):
        ClassificationBBoxTransformer(backbones()["ours"], box_head="corners")
    model = ClassificationBBoxTransformer(backbones()["ours"], box_head="sides")
    with pytest.raises(ValueError, match="'sides' reads maps of the whole backbone"):
        model(torch.zeros(2, 17, 24), after=2)


@pytest.mark.parametrize("name", MAP_HEADS)
def test_a_head_learns_where_a_square_is(name):
    """Eight pictures by heart, on a backbone that stays as it is: a rate of 0 does not get there."""
    torch.manual_seed(0)
    near = torch.randint(1, 16, (8, 2))
    far = near + torch.randint(8, 16, (8, 2))
    images, truth = torch.full((8, 3, 32, 32), -1.0), torch.cat([near, far], 1) / 32
    for image, (x1, y1), (x2, y2) in zip(images, near, far, strict=True):
        image[:, y1:y2, x1:x2] = 1.0
    model = ClassificationBBoxTransformer(backbones()["ours"], box_head=name).eval()
    with torch.no_grad():
        maps = adapter(model.backbone).features_and_maps(images)[1:]

    def loss():
        return (model.bounding_box(*maps) - truth).abs().mean()

    optimizer, first = torch.optim.Adam(model.bounding_box.parameters(), lr=3e-3), loss().item()
    for _ in range(30):
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()
    assert loss().item() < first / 2
