"""timm's VisionTransformer, by timm's own names."""

from difflib import get_close_matches
from pathlib import Path
from typing import ClassVar

from torch import Tensor, nn

from vitcourse.asl.backbones.adapter import Adapter
from vitcourse.errors import CheckpointError, InputError, some
from vitcourse.weights.checkpoints import pick, read

MODULE = "timm.models.vision_transformer"


class TimmViT(Adapter):
    """A VisionTransformer of timm, pooled as it is by itself; positions are resampled for images of another size."""

    WHAT = "a VisionTransformer of timm"
    NAMES: ClassVar = {
        "timm:MODEL": "a vision transformer of timm from scratch, or with its weights downloaded where MODEL has a tag",
        "timm:MODEL:FILE": "with weights of a checkpoint",
    }

    def __init__(self, module: nn.Module):
        super().__init__(module)
        self.width, (self.image_size, _) = module.num_features, module.patch_embed.img_size
        self.before = [module.patch_embed, module.norm_pre, *module.parameters(recurse=False)]
        self.layers, self.prefix = list(module.blocks), module.num_prefix_tokens
        known = getattr(module, "pretrained_cfg", None) or {}
        self.mean, self.deviation = (tuple(known.get(key) or Adapter.mean) for key in ("mean", "std"))

    @staticmethod
    def fits(module: nn.Module) -> bool:
        return any((kind.__module__, kind.__name__) == (MODULE, "VisionTransformer") for kind in type(module).__mro__)

    @staticmethod
    def load(name: str, image_size: int) -> nn.Module:
        _, model, *file = name.split(":", 2)
        if file and not Path(file[0]).expanduser().is_file():
            raise InputError(f"{name}: there is no such file; timm:MODEL:FILE takes weights from one")
        module = _made(model, pretrained="." in model and not file)
        if file:
            wanted = {key: tensor.shape for key, tensor in module.state_dict().items()}
            try:
                module.load_state_dict(pick(read(file[0]), wanted, file[0]))
            except CheckpointError as error:
                problem = f"no weights of timm's {model} could be read ({error.problem})"
                raise InputError(f"{file[0]}: {problem}") from error
        patch = module.patch_embed.patch_size[0]
        if image_size % patch:
            raise InputError(f"{name}: its image size must be a multiple of its patches, got {image_size} and {patch}")
        return _resized(module, image_size)

    @staticmethod
    def empty(name: str, config: dict) -> nn.Module:
        return _resized(_made(name.split(":", 2)[1], pretrained=False), config["image_size"])

    def config(self) -> dict:
        return {"image_size": self.image_size}

    def embed(self, images: Tensor) -> Tensor:
        module = self.module
        return module.norm_pre(module.patch_drop(module._pos_embed(module.patch_embed(images))))

    def pool(self, hidden: Tensor) -> Tensor:
        return self.module.forward_head(self.module.norm(hidden), pre_logits=True)

    def drop_head(self) -> None:
        self.module.reset_classifier(0)


def _made(model: str, *, pretrained: bool) -> nn.Module:
    """A model of timm without its head.

    Raises:
        InputError: there is none of that name, it is of another kind, or its weights cannot be downloaded.
    """
    import timm

    plain = model.partition(".")[0]
    if not timm.is_model(plain):
        near = get_close_matches(plain, timm.list_models(module="vision_transformer"), n=5, cutoff=0.0)
        raise InputError(f"timm has no model {model!r}; vision transformers with names like it: {some(near)}")
    if "." in model and model not in timm.list_pretrained(f"{plain}*"):
        tagged = some(timm.list_pretrained(f"{plain}.*")) or "none"
        raise InputError(f"timm has no weights {model!r}; of this model there are: {tagged}")
    try:
        module = timm.create_model(model, pretrained=pretrained, num_classes=0)
    except Exception as error:  # of the network, the hub or the operating system
        if not pretrained:
            raise
        problem = "its weights could not be downloaded; is there a connection? timm:MODEL:FILE takes them from a file"
        raise InputError(f"timm:{model}: {problem}") from error
    if not TimmViT.fits(module):
        raise InputError(f"timm:{model} is a {type(module).__name__}; the course takes timm's VisionTransformer")
    return module


def _resized(module: nn.Module, image_size: int) -> nn.Module:
    if image_size not in (0, module.patch_embed.img_size[0]):
        module.set_input_size((image_size, image_size))
    return module
