"""The recorded run ``hidden_patches``: small ViTs fill in hidden patches of photos, and learn what lies beside what.

The game is that of BERT, on patches (Dosovitskiy et al. 2020, https://arxiv.org/abs/2010.11929, section 4.6): of crops
from the two photos that scikit-learn ships, half of the patches are grey, and the model gives their pixels back. It is
played under several settings, since the paper's figure 10 shows that what positions become depends on them.

Beside the numbers, ``book/results/hidden_patches.npz`` holds ``positions`` (setting, seed, 64, D) of the patches, and
``components`` (28, 3, 8, 8): the principal components of what training has added to the patch embedding.
"""

import io
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import Dataset

from vitcourse import results
from vitcourse.files import write_whole
from vitcourse.patches import patchify
from vitcourse.positions import resample
from vitcourse.recipes import Say, recipe
from vitcourse.training import TrainingConfig, fit
from vitcourse.vit import VisionTransformer, ViTConfig

CONFIG = ViTConfig(image_size=64, patch_size=8, num_classes=0, dim=64, depth=1, num_heads=4)
SIDE = CONFIG.image_size // CONFIG.patch_size
LARGER = 96  # pixels of the same crops, finer: the grid is 12 x 12
CROPS, TEST_CROPS, HIDDEN, COMPONENTS = 1600, 128, 0.5, 28
SEEDS = (0, 1, 2)
LONG = "10 epochs"  # the setting whose models are looked at further
_CONFIG = TrainingConfig(epochs=10, batch_size=32, lr=4e-3)
SETTINGS = {
    "3 epochs, low rate": replace(_CONFIG, epochs=3, lr=1e-3),
    "3 epochs": replace(_CONFIG, epochs=3),
    LONG: _CONFIG,
    "10 epochs, strong decay": replace(_CONFIG, weight_decay=1.0),
}


class Crops(Dataset):
    """Crops of photos from -1 to 1, as dicts ``images`` (3, pixels, pixels); each shows 128 pixels of a photo."""

    def __init__(self, count: int, seed: int, pixels: int = CONFIG.image_size):
        from sklearn.datasets import load_sample_images

        photos = [torch.from_numpy(photo.copy()).permute(2, 0, 1) / 127.5 - 1 for photo in load_sample_images().images]
        scale = pixels / (2 * CONFIG.image_size)
        self.photos = [
            F.interpolate(photo[None], scale_factor=scale, mode="bilinear", antialias=True)[0] for photo in photos
        ]
        generator, self.pixels = torch.Generator().manual_seed(seed), pixels
        self.places = torch.rand(count, 3, generator=generator, dtype=torch.float64)

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        which, down, right = self.places[index].tolist()
        photo = self.photos[int(which * len(self.photos))]
        top, left = (
            int(part * (side - self.pixels + 1)) for part, side in zip((down, right), photo.shape[1:], strict=True)
        )
        return {"images": photo[:, top : top + self.pixels, left : left + self.pixels]}


class FillsIn(nn.Module):
    """A ViT that gives the pixels of every patch, from an image of which some patches are grey."""

    def __init__(self, config: ViTConfig = CONFIG):
        super().__init__()
        self.vit = VisionTransformer(config)
        self.pixels = nn.Linear(config.dim, config.in_chans * config.patch_size**2)

    def forward(self, images: Tensor, hidden: Tensor) -> Tensor:
        """Images (B, 3, h, w) and which patches are hidden (B, N), to patches (B, N, 3 * p * p)."""
        rows = images.shape[-1] // self.vit.config.patch_size
        seen = 1 - F.interpolate(hidden.unflatten(1, (-1, rows))[:, None].float(), size=images.shape[-2:])
        return self.pixels(self.vit.forward_features(images * seen)[:, 1:])


def error(model: nn.Module, batch: dict[str, Tensor], generator: torch.Generator | None = None) -> dict[str, Tensor]:
    """The mean squared error of the hidden patches."""
    patches = patchify(batch["images"], CONFIG.patch_size)
    hidden = (torch.rand(patches.shape[:2], generator=generator) < HIDDEN).to(patches.device)
    return {"loss": F.mse_loss(model(batch["images"], hidden)[hidden], patches[hidden])}


def train(config: TrainingConfig) -> tuple[FillsIn, Tensor]:
    """A model made and trained from the config's seed, and what that has added to its patch embedding, (D, 3, p, p)."""
    torch.manual_seed(config.seed)
    model = FillsIn()
    start = model.vit.patch_embed.proj.weight.detach().clone()
    fit(model, Crops(CROPS, seed=1), error, config)
    return model.eval(), model.vit.patch_embed.proj.weight.detach().cpu() - start


@torch.no_grad()
def crop_error(model: nn.Module, pixels: int = CONFIG.image_size) -> float:
    """The error on other crops of the same photos."""
    crops = Crops(TEST_CROPS, seed=2, pixels=pixels)
    images = torch.stack([crop["images"] for crop in crops]).to(next(model.parameters()).device)
    return error(model, {"images": images}, torch.Generator().manual_seed(0))["loss"].item()


def resized(table: Tensor, **how: object) -> Tensor:
    """`F.interpolate` for the patches of a table (1, 1 + N, D), whose first entry stays."""
    image = table[:, 1:].unflatten(1, (SIDE, -1)).permute(0, 3, 1, 2)
    return torch.cat([table[:, :1], F.interpolate(image, **how).flatten(2).mT], dim=1)


# Who carries a table (1, 1 + N, D) to another side how. big_vision calls scipy.ndimage.zoom with order 1.
LIBRARIES: dict[str, Callable[[Tensor, int], Tensor]] = {
    "timm": lambda table, side: resample(table, (side, side)),
    "Hugging Face, DeiT": lambda table, side: resample(table, (side, side), convention="hf"),
    "torchvision": lambda table, side: resized(table, size=side, mode="bicubic", align_corners=True),
    "big_vision": lambda table, side: resized(table, size=side, mode="bilinear", align_corners=True),
    "DINOv2": lambda table, side: resized(table, scale_factor=(side + 0.1) / SIDE, mode="bicubic"),
}


@torch.no_grad()
def at_larger(model: FillsIn, library: str | None) -> float:
    """The error at 12 x 12 patches, with positions carried over, or with zeros where ``library`` is None."""
    larger = FillsIn(replace(CONFIG, image_size=LARGER))
    state = {name: tensor.cpu() for name, tensor in model.state_dict().items()}
    table, side = state["vit.pos_embed"], LARGER // CONFIG.patch_size
    state["vit.pos_embed"] = LIBRARIES[library](table, side) if library else torch.zeros(1, 1 + side**2, CONFIG.dim)
    larger.load_state_dict(state)
    return crop_error(larger.eval(), LARGER)


@recipe("hidden_patches")
def record(say: Say) -> dict:
    """Trains with every setting and seed; models of the longer training are also tried on larger images."""
    rows, tables, components = [], [], None
    for name, config in SETTINGS.items():
        for seed in SEEDS:
            model, added = train(replace(config, seed=seed))
            row = {"setting": name, "seed": seed, "error": round(crop_error(model), 4)}
            if name == LONG:
                row["larger"] = {who: round(at_larger(model, who), 4) for who in LIBRARIES}
                row["larger"]["no positions"] = round(at_larger(model, None), 4)
                if components is None:
                    *_, components = torch.linalg.svd(added.flatten(1), full_matrices=False)
            rows.append(row)
            tables.append(model.vit.pos_embed.detach().cpu()[0, 1:])
            say(f"{name}, seed {seed}: error {row['error']:.3f}")
    made = {
        "positions": torch.stack(tables).unflatten(0, (len(SETTINGS), len(SEEDS))),
        "components": components[:COMPONENTS].unflatten(1, added.shape[1:]),
    }
    file = io.BytesIO()
    np.savez_compressed(file, **{name: tensor.numpy().astype(np.float16) for name, tensor in made.items()})
    write_whole(results.FOLDER / "hidden_patches.npz", file.getvalue())
    crops = torch.stack([crop["images"] for crop in Crops(TEST_CROPS, seed=2)])
    return {"test_variance": round(crops.var().item(), 4), "settings": list(SETTINGS), "rows": rows}
