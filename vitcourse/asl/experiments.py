"""Many short trainings on the same pictures: what frozen layers make of these is computed once for all of them.

A training here has no augmentation, because stored features belong to one version of each picture, and its heads may
have any width and depth. A box head that reads maps (`asl.boxes`) is trained on the pictures themselves: what is stored
are tokens, without the finer map. Everything else is that of `asl.trainer`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from accelerate.utils import set_seed
from torch import nn

from vitcourse.asl.backbones import adapter
from vitcourse.asl.frozen import FrozenFeatures
from vitcourse.asl.metrics import in_evaluation, measure, predict
from vitcourse.asl.model import ClassificationBBoxTransformer
from vitcourse.asl.runs import SignRun, new_model
from vitcourse.asl.trainer import score
from vitcourse.data.asl import InMemory
from vitcourse.training import fit, own_device

OnEpoch = Callable[[int, dict[str, float]], None]


@dataclass(frozen=True)
class Heads:
    """The shape of both heads: ``depth`` hidden layers of ``width`` with ReLU and dropout; none makes it one matrix."""

    width: int = 512
    depth: int = 1
    dropout: float = 0.2

    def head(self, dim: int, outputs: int) -> nn.Sequential:
        """A head from ``dim`` features to ``outputs`` numbers."""
        layers = []
        for _ in range(self.depth):
            layers += [nn.Linear(dim, self.width), nn.ReLU(), nn.Dropout(self.dropout)]
            dim = self.width
        return nn.Sequential(*layers, nn.Linear(dim, outputs))


@dataclass
class Ground:
    """Pictures that many trainings share, as they leave the frozen layers of a backbone.

    Attributes:
        train, judged: what is trained on, and what is measured.
        stored: features that are there already, by backbone, image size and frozen layers.
    """

    train: InMemory
    judged: InMemory
    stored: dict[tuple, tuple[FrozenFeatures, FrozenFeatures]] = field(default_factory=dict)

    def features(
        self, model: ClassificationBBoxTransformer, run: SignRun
    ) -> tuple[FrozenFeatures, FrozenFeatures] | tuple[InMemory, InMemory]:
        """Of train and judged; computed when first asked for. A box head that reads maps needs the pictures."""
        if run.box_head != "mean":
            return self.train, self.judged
        key = run.backbone, run.image_size, run.frozen_layers
        if key not in self.stored:
            both = self.train, self.judged
            self.stored[key] = tuple(FrozenFeatures(model, part, run.frozen_layers) for part in both)
        return self.stored[key]

    def fit(
        self, run: SignRun, heads: Heads | None = None, on_epoch: OnEpoch | None = None
    ) -> tuple[ClassificationBBoxTransformer, list[dict]]:
        """Trains one run; the model of its last epoch, and its log.

        Args:
            run: with ``frozen_layers`` of 0 or more.
            heads: their shape; the project's where it is None. A box head that reads maps has its own.
            on_epoch: called with the number of every epoch and what is measured after it; what it raises ends the run.
        """
        set_seed(run.training.seed)
        model, run = new_model(run)
        if heads is not None:
            width = adapter(model.backbone).width
            model.classifier = heads.head(width, model.classifier[-1].out_features)
            if run.box_head == "mean":
                model.bounding_box = heads.head(width, 4)
        model.to(own_device())
        train, judged = self.features(model, run)
        done = 0

        def measured(trained: ClassificationBBoxTransformer) -> dict[str, float]:
            nonlocal done
            done += 1
            found = self.measure(trained, judged)
            if on_epoch is not None:
                on_epoch(done, found)
            return found

        log = fit(model, train, run.loss(), run.training, evaluate=None if on_epoch is None else measured)
        return model, log

    def answers(
        self, model: ClassificationBBoxTransformer, judged: FrozenFeatures | InMemory
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits (N, 26) and boxes (N, 4) of pictures, stored or not."""
        if isinstance(judged, InMemory):
            return predict(model, list(judged.images))
        with in_evaluation(model), torch.no_grad():
            logits, boxes = model(judged.hidden.to(own_device()), after=judged.layers)
        return logits.cpu(), boxes.cpu()

    def measure(self, model: ClassificationBBoxTransformer, judged: FrozenFeatures | InMemory) -> dict[str, float]:
        """What `asl.evaluate` gives, and the score that combines letters and boxes."""
        labels, boxes = torch.as_tensor(judged.labels), torch.stack(list(judged.boxes))
        found = measure(*self.answers(model, judged), labels, boxes)
        return found | {"score": score(found)}
