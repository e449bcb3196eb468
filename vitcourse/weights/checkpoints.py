"""The one reader of checkpoints: safetensors, or what torch.save writes, whatever the file is called.

No code of a checkpoint is run. Plain data that training scripts keep beside the weights is allowed by name and comes to
nothing, or to plain numbers; whatever else a pickle asks for is refused with its name.
"""

import re
import warnings
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Size, Tensor

from vitcourse.errors import CheckpointError, some
from vitcourse.weights.filekinds import form_of

State = dict[str, Tensor]

# Under which names weights lie in a checkpoint, in the order in which they are taken: an average of the weights over
# the training is what its authors judged and published (a teacher is the average of its student).
AVERAGED = ("state_dict_ema", "model_ema", "ema_state_dict", "ema_model", "params_ema", "ema", "teacher")
WRAPPERS = (
    *AVERAGED,
    *("state_dict", "model_state_dict", "model_state", "model", "net", "network", "module", "weights", "params"),
    *("student", "backbone"),
)
BESIDE = re.compile(r"optim|sched|scaler|random|rng|loss|criterion|callback|loops", re.IGNORECASE)  # never the weights
LATER_PROTOCOLS = range(0x8C, 0x99)  # the codes of pickle that came with protocols 4 and 5
DEEPEST = 8  # nests within nests: a checkpoint may contain itself
PREFIXES = ("module.", "model.", "net.", "network.", "backbone.")  # taken off where all names have them
# What torch.compile, FSDP and activation checkpointing put into names, wherever they wrap.
WRAPPED = re.compile(r"(?<![^.])(?:_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module)\.")


class Thrown:
    """Stands for plain data beside the weights, which nobody reads."""

    def __init__(self, *_):
        pass

    def __setstate__(self, _):
        pass


class _NumberType:
    """Stands for a ``numpy.dtype``: its code, and its order of bytes."""

    def __init__(self, code: str, *_):
        self.code, self.order = code, "="

    def __setstate__(self, state: tuple):
        self.order = state[1].replace("|", "=")


def _number(kind: _NumberType, content: object) -> object:
    """A NumPy scalar as a plain number or text."""
    if isinstance(content, bytes) and re.fullmatch(r"[biufcU]\d+", kind.code):
        return np.frombuffer(content, kind.order + kind.code)[0].item()
    return Thrown()


# Objects of these names are thrown away; the values below mean something, or may lie around the weights.
_THROWN = (
    *("argparse.Namespace", "types.SimpleNamespace", "builtins.frozenset", "builtins.range", "builtins.slice"),
    *("builtins.list", "builtins.dict", "builtins.tuple", "builtins.int", "builtins.float", "builtins.str"),
    *("builtins.bool", "builtins.bytes", "builtins.object", "decimal.Decimal", "fractions.Fraction", "uuid.UUID"),
    *(f"datetime.{name}" for name in ("datetime", "date", "time", "timedelta", "timezone")),
    *(
        f"{module}.{kind}"
        for module in ("pathlib", "pathlib._local")
        for kind in ("PosixPath", "WindowsPath", "PurePosixPath", "PureWindowsPath", "Path", "PurePath")
    ),
    *(f"numpy.{name}" for name in ("ndarray", "bool", "bool_", "str_", "float16", "float32", "float64")),
    *(f"numpy.{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)),
    *(f"numpy.{core}.multiarray._reconstruct" for core in ("core", "_core")),
    "torch.torch_version.TorchVersion",
)
PLAIN = {
    **dict.fromkeys(_THROWN, Thrown),
    "collections.defaultdict": lambda *_: {},
    "collections.deque": lambda items=(), *_: list(items),
    "numpy.dtype": _NumberType,
    **{f"numpy.{core}.multiarray.scalar": _number for core in ("core", "_core")},
}


def load(file: str | Path) -> object:
    """What a checkpoint holds, as it was saved: weights on the CPU, plain data around and beside them.

    Raises:
        CheckpointError: the file is missing, damaged, or no checkpoint, or it asks for code to be run.
    """
    file = Path(file).expanduser()
    form = form_of(file)
    try:
        if form == "safetensors":
            return load_file(file)
        allowed = [(stand_in, name) for name, stand_in in PLAIN.items()]
        # A stream, because torch.load takes a file for what its name says.
        with file.open("rb") as stream, torch.serialization.safe_globals(allowed), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return torch.load(stream, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file fails anywhere, and in any way
        raise CheckpointError(_why(error, form), file) from error


def _why(error: Exception, form: str) -> str:
    if found := re.search(r"GLOBAL (\S+)", str(error)):
        return f"it holds a {found[1]}, whose code would have to run; save the state_dict() without it"
    operand = re.search(r"Unsupported operand (\d+)", str(error))
    if operand and int(operand[1]) in LATER_PROTOCOLS:
        return "it was saved with a later pickle protocol than torch.save's own, which is 2"
    return f"it begins as {'safetensors do' if form == 'safetensors' else 'torch.save writes'}, and is damaged"


def read(file: str | Path) -> State:
    """The tensors of a checkpoint by their names, on the CPU.

    What training scripts wrap around them is taken off: nests (`WRAPPERS`, in that order; where one is left, a warning
    says so), what stands before all names (`PREFIXES`), and what ``torch.compile`` and FSDP put into names.

    Raises:
        CheckpointError: as for `load`; or there are no tensors, or several sets of them and no telling which is meant.
    """
    file = Path(file).expanduser()
    state = _plain_names(_unwrapped(load(file), file))
    if not state:
        raise CheckpointError("it holds no tensors with names", file)
    return state


def pick(state: State, wanted: Mapping[str, Size], file: str | Path) -> State:
    """The tensors of one model, under whatever prefix they are; other parts (a head) are neither asked for nor judged.

    Args:
        wanted: names and shapes of the model. Counters of batch norms may be missing, as in files before PyTorch 0.4.1.

    Raises:
        CheckpointError: naming what is missing, what has another shape, or what such a model does not have.
    """
    needed = [name for name in wanted if not name.endswith("num_batches_tracked")]
    prefixes = prefixes_of(state, needed[0]) or [""]
    lacks = {prefix: [name for name in needed if prefix + name not in state] for prefix in prefixes}
    fewest = min(map(len, lacks.values()))
    prefix, *others = _in_order([prefix for prefix in prefixes if len(lacks[prefix]) == fewest])
    if lacks[prefix]:
        raise CheckpointError(f"it lacks {some(lacks[prefix])}", file)
    if others:
        _tell(file, prefix, others)
    parts = {name.partition(".")[0] for name in wanted}
    own = {name.removeprefix(prefix): tensor for name, tensor in state.items() if name.startswith(prefix)}
    if strangers := [name for name in own if name not in wanted and name.partition(".")[0] in parts]:
        raise CheckpointError(f"it has {some(strangers)}, which such a model has not", file)
    own = {name: own[name] for name in wanted if name in own}
    if odd := [name for name, tensor in own.items() if tensor.shape != wanted[name]]:
        found, asked = tuple(own[odd[0]].shape), tuple(wanted[odd[0]])
        more = f", and so on for {some(odd[1:], 4)}" if odd[1:] else ""
        raise CheckpointError(f"{odd[0]} has shape {found}, and {asked} is wanted{more}", file)
    return own


def prefixes_of(names: Mapping[str, Tensor], name: str) -> list[str]:
    """All that stands before a name, among names that end with it: nothing, or a prefix that ends with a dot."""
    found = (other[: -len(name)] for other in names if other.endswith(name))
    return _in_order([prefix for prefix in found if not prefix or prefix.endswith(".")])


def _in_order(prefixes: list[str]) -> list[str]:
    """Averages first, then the shorter one."""
    return sorted(prefixes, key=lambda prefix: (not set(prefix.split(".")) & set(AVERAGED), len(prefix)))


def _unwrapped(content: object, file: Path) -> State:
    for _ in range(DEEPEST):
        if not isinstance(content, Mapping):
            raise CheckpointError(f"it holds a {type(content).__name__}, not tensors by their names", file)
        nests = [name for name, part in content.items() if isinstance(name, str) and _is_nest(name, part, DEEPEST)]
        known = [name for name in WRAPPERS if name in nests]
        flat = any(isinstance(part, Tensor) and "." in str(name) for name, part in content.items())
        if not known and (flat or not nests):
            break
        if len(known or nests) > 1:
            if not known:
                raise CheckpointError(f"it holds several sets of weights: {some(nests)}; save one of them alone", file)
            _tell(file, known[0], known[1:])
        content = content[(known or nests)[0]]
    tensors = {name: part for name, part in content.items() if isinstance(name, str) and isinstance(part, Tensor)}
    return {name: tensor.detach() for name, tensor in tensors.items()}


def _is_nest(name: str, part: object, depth: int) -> bool:
    """Whether weights may lie under this name."""
    if not depth or not isinstance(part, Mapping) or BESIDE.search(name):
        return False
    return any(
        isinstance(key, str) and (isinstance(value, Tensor) or _is_nest(key, value, depth - 1))
        for key, value in part.items()
    )


def _tell(file: str | Path, taken: str, left: list[str]) -> None:
    taken, left = taken.rstrip("."), [name.rstrip(".") for name in left]
    warnings.warn(f"{file}: of several sets of weights {taken} is taken, and not {some(left)}", stacklevel=4)


def _plain_names(state: State) -> State:
    plain = {WRAPPED.sub("", name): tensor for name, tensor in state.items()}
    state = plain if len(plain) == len(state) else state
    if any(name.startswith("module.") for name in state):
        state.pop("n_averaged", None)  # the counter of torch's AveragedModel
    while found := [prefix for prefix in PREFIXES if state and all(name.startswith(prefix) for name in state)]:
        state = {name.removeprefix(found[0]): tensor for name, tensor in state.items()}
    return state
