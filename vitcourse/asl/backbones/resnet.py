"""torchvision's ResNet, and a ResNet-18 with weights from a file or from ImageNet."""

from pathlib import Path
from typing import ClassVar

from torch import Tensor, nn
from torchvision.models import ResNet, ResNet18_Weights, resnet18
from torchvision.models.resnet import BasicBlock

from vitcourse.asl.backbones.adapter import Adapter
from vitcourse.errors import CheckpointError, InputError
from vitcourse.weights.checkpoints import State, pick, read


class ImageNetResNet(ResNet):
    """A ResNet whose weights were trained on images of ImageNet's mean and deviation."""


class ResNetAdapter(Adapter):
    """A ResNet, whose own ``fc`` is replaced by an identity; it takes images of any size."""

    WHAT = "a ResNet"
    NAMES: ClassVar = {
        "resnet18": "from scratch",
        "resnet18:FILE": "with weights of a checkpoint, as torchvision's from ImageNet",
        "resnet18-imagenet": "downloads those",
    }
    image_size = 224  # by custom

    def __init__(self, module: ResNet):
        super().__init__(module)
        self.width = module.layer4[-1].conv1.in_channels
        self.before = [module.conv1, module.bn1]
        self.layers = [module.layer1, module.layer2, module.layer3, module.layer4]
        self.finer = module.layer2  # a place of 8 pixels, as in the stem of the course's ViT
        if isinstance(module, ImageNetResNet):
            self.mean, self.deviation = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

    @staticmethod
    def fits(module: nn.Module) -> bool:
        return isinstance(module, ResNet)

    @staticmethod
    def load(name: str, _image_size: int) -> ResNet:
        """Its ``fc`` is neither asked for in a checkpoint nor read."""
        model = ResNetAdapter.empty(name, {})
        if name == "resnet18":
            return model
        _, _, file = name.partition(":")
        if name != "resnet18-imagenet" and not (file and Path(file).expanduser().is_file()):
            raise InputError(f"{name}: there is no such file; ResNet-18 is resnet18, or resnet18:FILE with its weights")
        wanted = {name: tensor.shape for name, tensor in model.state_dict().items() if not name.startswith("fc.")}
        try:
            model.load_state_dict(pick(read(file) if file else _downloaded(), wanted, file or name), strict=False)
        except CheckpointError as error:
            raise InputError(f"{file or name}: no weights of a ResNet-18 could be read ({error.problem})") from error
        return model

    @staticmethod
    def empty(name: str, _config: dict) -> ResNet:
        return resnet18() if name == "resnet18" else ImageNetResNet(BasicBlock, [2, 2, 2, 2])

    def usual_size(self, name: str) -> int:
        return 96 if name == "resnet18" else self.image_size  # as the course's own ViT, which it is compared with

    def embed(self, images: Tensor) -> Tensor:
        module = self.module
        return module.maxpool(module.relu(module.bn1(module.conv1(images))))

    def pool(self, hidden: Tensor) -> Tensor:
        return self.module.avgpool(hidden).flatten(1)

    def map(self, hidden: Tensor) -> Tensor:
        return hidden

    def drop_head(self) -> None:
        self.module.fc = nn.Identity()


def _downloaded() -> State:
    try:
        return ResNet18_Weights.IMAGENET1K_V1.get_state_dict(progress=False, check_hash=True)
    except (OSError, RuntimeError) as error:  # no connection; or the file came broken
        problem = "they could not be downloaded; is there a connection? resnet18:FILE takes them from a file"
        raise CheckpointError(problem, "resnet18-imagenet") from error
