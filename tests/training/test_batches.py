"""A batch of one image: it trains, or it is refused before anything is trained or written."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import Dataset
from torchvision.models import resnet18

from vitcourse.asl import ClassificationBBoxTransformer, SignRun, freeze
from vitcourse.asl.runs import new_model
from vitcourse.data.augment import BatchAugmentation
from vitcourse.errors import InputError
from vitcourse.training import TrainingConfig, fit
from vitcourse.training.processes import Batches
from vitcourse.training.small_batches import check_small_batches, smallest_share
from vitcourse.vit import VisionTransformer, ViTConfig

pytestmark = pytest.mark.trains
ONCE = TrainingConfig(epochs=1, batch_size=4, warmup=0.0)


class Images(Dataset):
    def __init__(self, count, size):
        self.count, self.size = count, size

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        image = torch.randint(0, 256, (3, self.size, self.size), dtype=torch.uint8)
        return {"image": image, "label": index % 26, "box": torch.tensor([0.2, 0.2, 0.8, 0.8])}


def small(stem, size):
    config = ViTConfig(image_size=size, patch_size=16, num_classes=0, dim=24, depth=1, num_heads=2, stem=stem)
    return ClassificationBBoxTransformer(VisionTransformer(config))


BACKBONES = {
    "resnet": lambda size: ClassificationBBoxTransformer(resnet18(), image_size=size),
    "hmlp": lambda size: small("hmlp", size),
    "conv": lambda size: small("conv", size),
    "linear": lambda size: small("linear", size),
}
REFUSED = [("resnet", 32), ("resnet", 16), ("hmlp", 16), ("conv", 16)]
TRAINED = [("resnet", 48), ("resnet", 64), ("hmlp", 32), ("conv", 32), ("linear", 16)]


@pytest.mark.parametrize(("count", "batch_size"), [(5, 4), (3, 1), (1, 4)])
@pytest.mark.parametrize(("kind", "size"), REFUSED)
def test_a_batch_of_one_is_refused_before_anything_is_trained(tmp_path, kind, size, count, batch_size):
    model = BACKBONES[kind](size)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    steps = []
    with pytest.raises(InputError, match=f"batch_size {batch_size} leaves one of {count} images alone") as caught:
        fit(
            model,
            Images(count, size),
            SignRun().loss(),
            replace(ONCE, batch_size=batch_size),
            out=tmp_path,
            on_step=lambda *step: steps.append(step),
            transform=BatchAugmentation(),
        )
    assert steps == []
    assert list(tmp_path.iterdir()) == []
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    words = str(caught.value)
    assert len(words.splitlines()) == 1
    # The batch size that it names does train.
    if count == 1:
        assert words.endswith("it takes more images, or larger ones")
    else:
        named = int(words.split("batch_size ")[2].split()[0])
        assert fit(model, Images(count, size), SignRun().loss(), replace(ONCE, batch_size=named))


@pytest.mark.parametrize(("kind", "size"), [*TRAINED, *REFUSED])
def test_what_is_not_refused_trains(kind, size):
    """Two images at any size, and one where the last map is larger than a pixel."""
    for count in (5,) if (kind, size) in TRAINED else (6,):
        assert fit(BACKBONES[kind](size), Images(count, size), SignRun().loss(), ONCE)


def test_a_frozen_batch_norm_takes_one_image():
    model = BACKBONES["conv"](16)
    freeze(model.backbone, 0)
    assert fit(model, Images(5, 16), SignRun().loss(), ONCE)
    resnet = BACKBONES["resnet"](32)
    freeze(resnet.backbone, 3)
    with pytest.raises(InputError, match="leaves one of 5 images alone"):
        fit(resnet, Images(5, 32), SignRun().loss(), ONCE)
    freeze(resnet.backbone, 4)
    assert fit(resnet, Images(5, 32), SignRun().loss(), ONCE)


def test_a_loss_with_parameters_and_features_of_a_vector():
    class Points(Dataset):
        def __len__(self):
            return 5

        def __getitem__(self, index):
            return {"x": torch.randn(3), "y": index % 2}

    def loss(model, batch):
        return {"loss": F.cross_entropy(model(batch["x"]), batch["y"])}

    with pytest.raises(InputError, match="leaves one of 5"):
        fit(nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4)), Points(), loss, ONCE)
    with pytest.raises(InputError, match="leaves one of 5"):  # it has no statistics but those of the batch
        fit(nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4, track_running_stats=False)), Points(), loss, ONCE)
    assert fit(nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4)), Points(), loss, ONCE)
    learned = SignRun(balance="uncertainty").loss()
    with pytest.raises(InputError, match="leaves one of 5"):
        fit(BACKBONES["resnet"](32), Images(5, 32), learned, ONCE)


def test_the_trial_draws_nothing_and_changes_nothing():
    model, state = BACKBONES["conv"](32), torch.get_rng_state()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    check_small_batches(model, Images(5, 32), SignRun().loss(), 4, 1)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert model.training


@pytest.mark.parametrize("world", [1, 2, 3])
def test_the_smallest_share_is_what_the_processes_get(world):
    for count in range(1, 15):
        for batch_size in range(1, 9):
            shares = [len(share) for rank in range(world) for share in Batches(count, batch_size, 1, rank, world)]
            assert smallest_share(count, batch_size, world) == min(shares), (count, batch_size)


@pytest.mark.parametrize("options", [["--batch-size", "1"], ["--batch-size", "7"]])
def test_the_command_says_it_in_one_line(command, tmp_path, options):
    from vitcourse.data.asl import synthesise

    synthesise(tmp_path / "signs", train=29, valid=26, test=0, size=32, seed=1)
    arguments = ["--data", tmp_path / "signs", "--out", tmp_path / "run", "--backbone", "resnet18", "--image-size", 32]
    status, _, error = command("train", "asl", *arguments, "--epochs", 1, *options)
    assert status == 2
    assert len(error.strip().splitlines()) == 1
    assert f"batch_size {options[1]} leaves one of 29 images alone" in error
    assert not (tmp_path / "run").exists()


def test_a_small_model_of_the_command_trains_on_one_image():
    model, run = new_model(SignRun("vit", 32))
    assert fit(model, Images(5, 32), run.loss(), ONCE)
