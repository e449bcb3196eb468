"""Backbones of others, with their weights: a ResNet-18 from a file, a ``ViTModel`` from a folder or the hub."""

import re
from pathlib import Path

import torch
from torch import nn

from vitcourse.asl.backbones import ImageNetResNet
from vitcourse.asl.foreign import checked_config, finder, weight_files
from vitcourse.errors import CheckpointError, InputError, some
from vitcourse.weights.checkpoints import State, pick, prefixes_of, read

# What a ViTModel that is smaller than its weights would leave out; a pooler, a decoder and a head may be left out.
ENCODER = re.compile(r"(vit\.)?(encoder|layers|layernorm|embeddings\.(?!mask_token|position_ids))")


def empty_resnet(name: str) -> nn.Module:
    """A ResNet-18 without pretrained weights: torchvision's own, or the one for weights from ImageNet."""
    from torchvision.models import resnet18
    from torchvision.models.resnet import BasicBlock

    return resnet18() if name == "resnet18" else ImageNetResNet(BasicBlock, [2, 2, 2, 2])


def resnet(name: str) -> nn.Module:
    """ "resnet18" from scratch, "resnet18:FILE" with weights from a checkpoint, as ImageNet's of torchvision, or
    "resnet18-imagenet", which downloads those.

    The layer behind the features, ``fc``, is replaced in a sign model: it is neither asked for nor read.

    Raises:
        InputError: the file is missing or holds something else, or the download fails.
    """
    model = empty_resnet(name)
    if name == "resnet18":
        return model
    _, _, file = name.partition(":")
    if name != "resnet18-imagenet" and not (file and Path(file).expanduser().is_file()):
        raise InputError(f"{name}: there is no such file; ResNet-18 is resnet18, or resnet18:FILE with its weights")
    wanted = {name: tensor.shape for name, tensor in model.state_dict().items() if not name.startswith("fc.")}
    try:
        state = pick(read(file) if file else _downloaded(), wanted, file or name)
    except CheckpointError as error:
        raise InputError(f"{file or name}: no weights of a ResNet-18 could be read ({error.problem})") from error
    model.load_state_dict(state, strict=False)
    return model


def _downloaded() -> State:
    from torchvision.models import ResNet18_Weights

    try:
        return ResNet18_Weights.IMAGENET1K_V1.get_state_dict(progress=False, check_hash=True)
    except (OSError, RuntimeError) as error:  # no connection; or the file came broken
        problem = "they could not be downloaded; is there a connection? resnet18:FILE takes them from a file"
        raise CheckpointError(problem, "resnet18-imagenet") from error


def vit_model(name: str) -> nn.Module:
    """A Hugging Face ``ViTModel`` without its pooler, from a local folder or by its name on the hub.

    What the course needs of its config is checked before anything is built; weights are read by `checkpoints.read`.

    Raises:
        InputError: there is none, its config is of another kind, or its weights are damaged or incomplete.
    """
    from transformers import ViTConfig, ViTModel
    from transformers.utils import logging

    logging.set_verbosity_error()  # what went wrong is said below, in one line
    logging.disable_progress_bar()
    find = finder(name)
    config = checked_config(name, find)
    state: State = {}
    try:
        for file in weight_files(name, find):
            state |= read(file)
    except CheckpointError as error:
        raise InputError(f"no ViTModel could be loaded from {name!r}: {error.file.name}: {error.problem}") from error
    for prefix in prefixes_of(state, "embeddings.cls_token")[:1]:
        state = {key.removeprefix(prefix): tensor for key, tensor in state.items() if key.startswith(prefix)}
    options = {"add_pooling_layer": False, "dtype": torch.float32}  # or it would come in the file's own precision
    options |= {"output_loading_info": True, "ignore_mismatched_sizes": True}  # which are named below
    model, found = ViTModel.from_pretrained(None, config=ViTConfig(**config), state_dict=state, **options)
    if lacks := sorted(found["missing_keys"]):
        raise InputError(f"{name!r} is no checkpoint of a ViTModel: it lacks {some(lacks)}")
    if odd := sorted(found["mismatched_keys"]):
        key, has, wanted = odd[0]
        shapes = f"{key} has shape {tuple(has)}, its config.json asks for {tuple(wanted)}"
        more = f", and so on for {some([other[0] for other in odd[1:]], 4)}" if odd[1:] else ""
        raise InputError(f"no ViTModel could be loaded from {name!r}: {shapes}{more}")
    if strange := sorted(key for key in found["unexpected_keys"] if ENCODER.match(key)):
        strange = f"its weights have {some(strange)}, which its config.json has not"
        raise InputError(f"no ViTModel could be loaded from {name!r}: {strange}")
    return model
