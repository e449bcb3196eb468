"""What a sign model asks of its backbone: `Adapter`, of which each kind of backbone has a class.

The units of depth are "layers": the blocks of a transformer, the four stages of a ResNet. What comes before them, the
embeddings or the stem, belongs to the front of any cut.
"""

import math
from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from torch import Tensor, nn

PLAIN = (0.5, 0.5, 0.5)  # mean and deviation of the course's images, which lie between -1 and 1


class Adapter(ABC):
    """One backbone, as a sign model uses it. A new kind is a class in a file of its own, and a word in `backbones`.

    Attributes:
        WHAT: how a message calls such a module.
        NAMES: what a run may call it, each with a few words; in "resnet18:FILE" what stands behind the colon is free.
        mean, deviation: of the images that the weights were trained on.
        width: D, of the one vector that is made of an image.
        image_size: height and width, in pixels, of the images that it was made for.
        before: what comes before the layers, modules and parameters.
        layers: the layers, in order.
        prefix: tokens before those of the patches.
        finer: the module that gives a map of twice the resolution of the last one, or more; None where none does.
    """

    WHAT: ClassVar[str]
    NAMES: ClassVar[dict[str, str]]
    mean = deviation = PLAIN
    width: int
    image_size: int
    before: list[nn.Module | nn.Parameter]
    layers: list[nn.Module]
    prefix = 1
    finer: nn.Module | None = None

    def __init__(self, module: nn.Module):
        self.module = module

    @classmethod
    def takes(cls, name: str) -> bool:
        """Whether a run that calls its backbone so means this kind."""
        return any(name == own or (":" in own and name.startswith(own.partition(":")[0] + ":")) for own in cls.NAMES)

    @staticmethod
    @abstractmethod
    def fits(module: nn.Module) -> bool:
        """Whether a module is of this kind."""

    @staticmethod
    @abstractmethod
    def load(name: str, image_size: int) -> nn.Module:
        """The backbone that a run starts from, for images of a size, or of its own where that is 0.

        Raises:
            InputError: there is none of that name, or it does not take images of that size.
        """

    @staticmethod
    @abstractmethod
    def empty(name: str, config: dict) -> nn.Module:
        """The same backbone again with any weights, from what `config` gave."""

    def config(self) -> dict:
        """What `empty` needs beside the name, as a run keeps it."""
        return {}

    @abstractmethod
    def embed(self, images: Tensor) -> Tensor:
        """Images (B, 3, height, width), as the weights expect them, to what enters the first layer."""

    @abstractmethod
    def pool(self, hidden: Tensor) -> Tensor:
        """What leaves the last layer to features (B, D)."""

    def usual_size(self, _name: str) -> int:
        """The size at which a run that calls its backbone so reads images, where it asks for none."""
        return self.image_size

    def drop_head(self) -> None:  # noqa: B027 - most have none
        """Takes away what lies behind the features, so that no such weights are trained and stored."""

    def front(self, images: Tensor, layers: int) -> Tensor:
        """What the first ``layers`` layers make of the course's images: tokens (B, 1 + N, D), or the map of a ResNet.

        `back` makes the features of it, so that ``back(front(images, k), k)`` is ``features(images)`` for any k.
        """
        if (self.mean, self.deviation) != (PLAIN, PLAIN):
            mean, deviation = (images.new_tensor(values).view(3, 1, 1) for values in (self.mean, self.deviation))
            images = (images - (2 * mean - 1)) / (2 * deviation)
        return _through(self._first(layers), self.embed(images))

    def back(self, hidden: Tensor, layers: int) -> Tensor:
        """Features (B, D) from what `front` gave with the same number of layers."""
        return self.pool(_through(self.layers[len(self._first(layers)) :], hidden))

    def features(self, images: Tensor) -> Tensor:
        """The course's images (B, 3, height, width) to features (B, D)."""
        return self.back(self.front(images, 0), 0)

    def map(self, hidden: Tensor) -> Tensor:
        """What leaves the last layer as a map (B, D, h, w): of a transformer, the tokens of the patches of a square."""
        patches = hidden[:, self.prefix :]
        return patches.transpose(1, 2).unflatten(2, (math.isqrt(patches.shape[1]), -1))

    def features_and_maps(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        """Features (B, D), the map of the last layer (B, D, h, w), and the finer map (B, E, H, W) if there is one."""
        seen: list[Tensor] = []
        # A hook reads what passes inside of any backbone, without taking it apart.
        hook = self.finer and self.finer.register_forward_hook(lambda *call: seen.append(call[2]))
        try:
            hidden = self.front(images, len(self.layers))
        finally:
            if hook:
                hook.remove()
        return self.pool(hidden), self.map(hidden), seen[0] if seen else None

    def freeze(self, layers: int) -> int:
        """See `backbones.freeze`."""
        parts = [*self.before, *self._first(layers)]
        frozen = [p for part in parts for p in ([part] if isinstance(part, nn.Parameter) else part.parameters())]
        for parameter in frozen:
            parameter.requires_grad_(False)
        return sum(parameter.numel() for parameter in frozen)

    @torch.no_grad()
    def draws_random_numbers(self, images: Tensor, layers: int) -> bool:
        """Whether `front` is random while the backbone trains (dropout, drop path): it cannot be computed once then."""
        states = [torch.get_rng_state, *([torch.cuda.get_rng_state] if images.is_cuda else [])]
        before = [state() for state in states]
        self.front(images, layers)
        return not all(torch.equal(was, state()) for was, state in zip(before, states, strict=True))

    def _first(self, layers: int) -> list[nn.Module]:
        if not 0 <= layers <= len(self.layers):
            raise ValueError(f"the backbone has {len(self.layers)} layers, {layers} cannot be frozen")
        return self.layers[:layers]


def known_names(form: str = "{0}") -> str:
    """What a backbone may be called, all kinds; ``form`` may hold {0}, the name, and {1}, the words on it."""
    kinds = sorted(Adapter.__subclasses__(), key=lambda kind: kind.takes(""))  # what takes any name is told last
    return ", ".join(form.format(*pair) for kind in kinds for pair in kind.NAMES.items())


def _through(layers: list[nn.Module], hidden: Tensor) -> Tensor:
    for layer in layers:
        hidden = layer(hidden)
        hidden = hidden[0] if isinstance(hidden, tuple) else hidden  # (tokens, weights) of an older Hugging Face
    return hidden
