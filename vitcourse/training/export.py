"""A trained model as files that run without the course: ONNX, and a program of ``torch.export``.

Both take ``images``, uint8 (B, 3, size, size) of any B, upright and stretched to the square that the description names,
and give ``logits`` (B, K) and, where the model boxes something, ``boxes`` (B, 4). Both hold the description of the run
(see `vitcourse.training.description`), so that a file alone says what its answers mean.

Sources: https://onnx.ai/onnx/repo-docs/IR.html (the format), https://docs.pytorch.org/docs/stable/export.html.
"""

import warnings
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from vitcourse.errors import CheckpointError, one_line
from vitcourse.files import whole_file
from vitcourse.training.description import Description, as_text, parsed

ONNX, PROGRAM = "model.onnx", "model.pt2"
DESCRIPTION = "vitcourse"  # under which name the files hold it
OUTPUTS = ("logits", "boxes")
TOLERANCE = 1e-4
TRIED = 3  # images on which the files are compared with the model: another number than they were traced with


def export(model: nn.Module, description: Description, out: str | Path) -> dict[str, float]:
    """Writes both files into a folder, after each has been read again and has answered as the model does.

    Args:
        model: takes ``images`` and gives a tuple of the outputs, as told above; in evaluation mode, on the CPU.
        out: the folder of both files, which appear together or not at all.

    Returns:
        For each file the largest difference of any number of its answers from the model's.

    Raises:
        CheckpointError: a file answers otherwise than the model, by more than `TOLERANCE`.
    """
    import onnxscript  # noqa: F401 - torch.onnx writes with it
    from onnx.checker import check_model

    out, size = Path(out), description.preprocessing["size"]
    images = torch.randint(
        0, 256, (TRIED, 3, size, size), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
    )
    with ExitStack() as files, torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporters, about themselves
        expected = model(images)
        onnx, program = (files.enter_context(whole_file(out / name)) for name in (ONNX, PROGRAM))
        traced = torch.export.export(model, (images[:2],), dynamic_shapes=({0: torch.export.Dim("batch")},))
        with program.open("wb") as stream:  # torch takes a name for a program's only where it ends in .pt2
            torch.export.save(traced, stream, extra_files={DESCRIPTION: as_text(description)})
        names = {"input_names": ["images"], "output_names": OUTPUTS[: len(expected)]}
        graph = torch.onnx.export(traced, dynamo=True, verbose=False, **names)
        graph.model.metadata_props[DESCRIPTION] = as_text(description)
        graph.save(onnx)
        check_model(onnx)
        with program.open("rb") as stream:
            answers = {ONNX: OnnxModel(onnx)(images), PROGRAM: torch.export.load(stream).module()(images)}
        apart = {name: _apart(expected, given) for name, given in answers.items()}
        for name, difference in apart.items():
            if not difference <= TOLERANCE:
                problem = f"it would answer otherwise than the model, by {difference:.2g}; nothing was written"
                raise CheckpointError(problem, out / name)
    return apart


class OnnxModel:
    """An ONNX file that `export` wrote, run by onnxruntime on the CPU: called as the model itself is.

    Attributes:
        description: of the run that it comes from.

    Raises:
        CheckpointError: the file is missing or damaged, no ONNX, or not one of the course's.
    """

    def __init__(self, file: str | Path):
        import onnxruntime

        file, options = Path(file), onnxruntime.SessionOptions()
        options.log_severity_level = 4  # what is wrong is said below
        options.intra_op_num_threads = torch.get_num_threads()
        try:
            self._session = onnxruntime.InferenceSession(file.read_bytes(), options, ["CPUExecutionProvider"])
        except OSError as error:
            raise CheckpointError(one_line(error.strerror), file) from error
        except Exception as error:  # onnxruntime has a dozen kinds for what it cannot read
            raise CheckpointError("it is not an ONNX file that can be run, or it is damaged", file) from error
        try:
            self.description = parsed(self._session.get_modelmeta().custom_metadata_map[DESCRIPTION])
        except KeyError as error:
            raise CheckpointError("it is an ONNX file that `vitcourse export` did not write", file) from error
        except ValueError as error:
            raise CheckpointError(f"it does not describe a run ({one_line(error)})", file) from error

    def __call__(self, images: Tensor) -> tuple[Tensor, ...]:
        """uint8 images (B, 3, size, size) to logits (B, K), and boxes (B, 4) where the model gives them."""
        return tuple(torch.from_numpy(np.array(given)) for given in self._session.run(None, {"images": images.numpy()}))


def _apart(expected: tuple[Tensor, ...], given: tuple[Tensor, ...]) -> float:
    return max((one - other).abs().max().item() for one, other in zip(expected, given, strict=True))
