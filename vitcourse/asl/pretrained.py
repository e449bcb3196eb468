"""Backbones of others, with their weights: a ResNet-18 from a file, a ``ViTModel`` from a folder or the hub."""

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import nn

from vitcourse.asl.backbones import ImageNetResNet
from vitcourse.errors import InputError, one_line


def empty_resnet(name: str) -> nn.Module:
    """A ResNet-18 without pretrained weights: torchvision's own, or the one for weights from ImageNet."""
    from torchvision.models import resnet18
    from torchvision.models.resnet import BasicBlock

    return resnet18() if name == "resnet18" else ImageNetResNet(BasicBlock, [2, 2, 2, 2])


def resnet(name: str) -> nn.Module:
    """ "resnet18" from scratch, "resnet18:FILE" with torchvision's ImageNet weights from a local file (.pth or
    .safetensors), or "resnet18-imagenet", which downloads them.

    Raises:
        InputError: the file is missing or holds something else, or the download fails.
    """
    model = empty_resnet(name)
    if name == "resnet18":
        return model
    _, _, file = name.partition(":")
    try:
        if name == "resnet18-imagenet":
            state = _downloaded()
        elif file.endswith(".safetensors"):
            state = load_file(file)
        elif file and Path(file).is_file():
            state = torch.load(file, map_location="cpu", weights_only=True)
        else:
            raise InputError(f"{name}: there is no such file; ResNet-18 is resnet18, or resnet18:FILE with its weights")
        model.load_state_dict(state)
    except InputError:
        raise
    except Exception as error:  # torch.load raises a dozen kinds for a damaged file
        raise InputError(f"{file or name}: no weights of a ResNet-18 could be read ({one_line(error)})") from error
    return model


def _downloaded() -> dict:
    from torchvision.models import ResNet18_Weights

    return ResNet18_Weights.IMAGENET1K_V1.get_state_dict(progress=False, check_hash=True)


def vit_model(name: str) -> nn.Module:
    """A Hugging Face ``ViTModel`` without its pooler, from a local folder or by its name on the hub.

    Raises:
        InputError: there is none, or its weights are incomplete.
    """
    from transformers import ViTModel
    from transformers.utils import logging

    logging.set_verbosity_error()  # what went wrong is said below, in one line
    logging.disable_progress_bar()
    try:
        options = {"add_pooling_layer": False, "dtype": torch.float32}  # or it would come in the file's own precision
        model, found = ViTModel.from_pretrained(name, **options, output_loading_info=True)
        if not isinstance(model.config.image_size, int):
            raise ValueError(f"its image_size is {model.config.image_size}; one number is expected")
    except Exception as error:  # a damaged config.json fails anywhere in it, and in any way
        raise InputError(f"no ViTModel could be loaded from {name!r}: {one_line(error)}") from error
    if found["missing_keys"]:
        missing = ", ".join(sorted(found["missing_keys"])[:3])
        raise InputError(f"{name!r} is no checkpoint of a ViTModel: it lacks {missing} …")
    return model
