"""A Hugging Face ``ViTModel``, with its weights from a folder or the hub."""

import re
from typing import ClassVar

import torch
from torch import Tensor, nn

from vitcourse.asl.backbones.adapter import Adapter
from vitcourse.asl.backbones.vit_files import FIELDS, checked_config, finder, weight_files
from vitcourse.errors import CheckpointError, InputError, some
from vitcourse.weights.checkpoints import State, prefixes_of, read

# What a ViTModel that is smaller than its weights would leave out; a pooler, a decoder and a head may be left out.
ENCODER = re.compile(r"(vit\.)?(encoder|layers|layernorm|embeddings\.(?!mask_token|position_ids))")


class HuggingFaceViT(Adapter):
    """A ``ViTModel``, whose features are the class token; it takes images of its own size alone."""

    WHAT = "a ViTModel"
    NAMES: ClassVar = {
        "a folder": "a ViTModel",
        "OWNER/NAME": "one on the Hugging Face hub, such as google/vit-base-patch16-224-in21k",
    }

    def __init__(self, module: nn.Module):
        super().__init__(module)
        self.width, self.image_size = module.config.hidden_size, module.config.image_size
        # Hugging Face moved the layers from `encoder.layer` to `layers` in 5.9.
        self.layers = list(module.layers if hasattr(module, "layers") else module.encoder.layer)
        self.before = [module.embeddings]

    @classmethod
    def takes(cls, _name: str) -> bool:
        return True  # whatever is not another kind's

    @staticmethod
    def fits(module: nn.Module) -> bool:
        return hasattr(getattr(module, "config", None), "hidden_size")

    @staticmethod
    def load(name: str, image_size: int) -> nn.Module:
        module = vit_model(name)
        if image_size not in (0, size := module.config.image_size):
            raise InputError(f"{name} reads images of {size} pixels, {image_size} were asked for")
        return module

    @staticmethod
    def empty(_name: str, config: dict) -> nn.Module:
        from transformers import ViTConfig, ViTModel

        return ViTModel(ViTConfig.from_dict(config), add_pooling_layer=False)

    def config(self) -> dict:
        return {field: getattr(self.module.config, field) for field in FIELDS}

    def embed(self, images: Tensor) -> Tensor:
        return self.module.embeddings(images)

    def pool(self, hidden: Tensor) -> Tensor:
        return self.module.layernorm(hidden)[:, 0]


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
