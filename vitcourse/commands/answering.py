"""A trained model of any kind, as ``predict``, ``export`` and ``serve`` use it: from a run folder or an ONNX file."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor, nn

from vitcourse import asl, faces
from vitcourse.asl.answers import Answers, Model, answer
from vitcourse.errors import CheckpointError, shown
from vitcourse.faces.runs import THRESHOLD
from vitcourse.training.description import RUN, Description, described, note_unfinished
from vitcourse.training.export import OnnxModel

KINDS: dict[str, Callable[[Path], nn.Module]] = {
    "signs": lambda folder: asl.load_run(folder)[0],
    "faces": lambda folder: faces.load_run(folder)[0],
}


@dataclass(frozen=True)
class Answering:
    """Called as ``answering(pixels, top, second_look)``; see `asl.answers.answer`.

    Where the run has a threshold, an answer also says whether it is ``unknown``: no share reaches it.
    """

    description: Description
    model: Model

    def __call__(self, pixels: Tensor, top: int = 1, second_look: bool = False) -> dict:
        size = self.description.preprocessing["size"]
        found = answer(self.model, pixels, self.description.labels, size, top, second_look)
        least = self.description.metrics.get(THRESHOLD)
        return found if least is None else found | {"unknown": found["top"][0]["share"] < least}


def answers_of(folder: Path) -> tuple[Description, Answers]:
    """The trained model of a run folder, of whatever kind, in evaluation mode.

    Raises:
        CheckpointError: naming the file that is missing, damaged or of another kind.
    """
    description = described(folder)
    if description.kind not in KINDS:
        problem = f"it describes a run of {shown(description.kind)}; known are {', '.join(KINDS)}"
        raise CheckpointError(problem, folder / RUN)
    return description, Answers(KINDS[description.kind](folder)).eval()


def load(path: Path) -> Answering:
    """The model of a run folder, or of an ONNX file that ``vitcourse export`` wrote.

    Raises:
        CheckpointError: it is neither, or a file of it is missing, damaged or of another kind.
    """
    if path.is_file():
        exported = OnnxModel(path)
        note_unfinished(exported.description, path)
        return Answering(exported.description, exported)
    description, answers = answers_of(path)
    device = next(answers.parameters()).device
    return Answering(description, lambda images: tuple(given.cpu() for given in answers(images.to(device))))
