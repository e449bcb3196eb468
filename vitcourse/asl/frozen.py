"""What frozen layers make of the images, computed once.

Frozen layers give the same answer in every epoch, as long as the image is the same and nothing in them is random. Then
their answer can be kept, and an epoch begins behind them.
"""

import torch
from torch import Tensor
from torch.utils.data import Dataset

from vitcourse.asl.backbones import adapter
from vitcourse.asl.model import ClassificationBBoxTransformer
from vitcourse.data.asl import to_input

PRECISIONS = {"bf16": torch.bfloat16, "fp16": torch.float16}


class FrozenFeatures(Dataset):
    """A data set of signs as it leaves the first layers of a model, in memory.

    Items are dicts ``hidden`` (what `Adapter.front` gives), ``label`` and ``box``; `SignLoss` knows what to do
    with them. A ViT-B/16 at 224 pixels takes 0.6 MB an image.

    Args:
        model: its embeddings and first ``layers`` layers must be frozen.
        dataset: items of one size and without augmentation, such as `data.asl.InMemory` gives.
        precision: of the training that follows (see `TrainingConfig`): autocast must act here as it would there.

    Raises:
        ValueError: these layers are trained, or something random comes before their end, so that what they give would
            not stay the same.
    """

    def __init__(
        self,
        model: ClassificationBBoxTransformer,
        dataset: Dataset,
        layers: int,
        precision: str = "no",
        batch_size: int = 64,
    ):
        if getattr(dataset, "transform", None) is not None:
            raise ValueError("the images are augmented, so what frozen layers make of them changes in every epoch")
        place, training = next(model.parameters()).device, model.training
        model.train()  # as in the training, where dropout would act
        self.hidden, self.labels, self.boxes, self.layers = [], [], [], layers
        try:
            for start in range(0, len(dataset), batch_size):
                items = [dataset[i] for i in range(start, min(start + batch_size, len(dataset)))]
                images = to_input(torch.stack([item["image"] for item in items]).to(place))
                if start == 0:
                    self._check(model, images, layers)
                with torch.no_grad(), torch.autocast(place.type, PRECISIONS.get(precision), precision in PRECISIONS):
                    self.hidden.append(adapter(model.backbone).front(images, layers).cpu())
                self.labels += [int(item["label"]) for item in items]
                self.boxes += [item["box"] for item in items]
        finally:
            model.train(training)
        self.hidden = torch.cat(self.hidden)

    def _check(self, model: ClassificationBBoxTransformer, images: Tensor, layers: int) -> None:
        with torch.enable_grad():
            if adapter(model.backbone).front(images[:1], layers).requires_grad:
                raise ValueError(f"the first {layers} layers are trained; freeze them first")
        if adapter(model.backbone).draws_random_numbers(images[:1], layers):
            raise ValueError(f"something random (dropout, drop path) comes before the end of the first {layers} layers")

    def __len__(self) -> int:
        return len(self.hidden)

    def __getitem__(self, index: int) -> dict:
        return {"hidden": self.hidden[index], "label": self.labels[index], "box": self.boxes[index]}
