"""A ``ViTModel`` before it is built: where its files are, and whether its config is one that the course can use."""

import json
import re
from collections.abc import Callable
from pathlib import Path

from vitcourse.asl.backbones.adapter import known_names
from vitcourse.errors import InputError
from vitcourse.weights.filekinds import kind_of

KINDS = ("vit", "vit_mae", "vit_msn")  # those whose encoder is a ViTModel
HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
COUNTS = (
    *("image_size", "patch_size", "hidden_size", "num_attention_heads"),
    *("num_hidden_layers", "intermediate_size", "num_channels"),
)
SHARES = ("hidden_dropout_prob", "attention_probs_dropout_prob", "layer_norm_eps", "initializer_range")
FIELDS = (*COUNTS, *SHARES, "hidden_act", "qkv_bias")
MOST_PIXELS = 1024  # along a side: more would not fit into memory
MOST = 20_000  # of anything that is counted: more is a slip, and would be allocated
ANSWER = 5  # seconds that the hub has to answer at all

Find = Callable[[str], Path | None]


def finder(name: str) -> Find:
    """A function that gives a file of a model's by its name, or None where the model has none of that name.

    Args:
        name: a local folder, or OWNER/NAME on the Hugging Face hub. The hub is asked for nothing that looks like a
            path, and for nothing at all where it does not answer: then only what was downloaded before is found.

    Raises:
        InputError: there is no such folder, and no such name.
    """
    folder = Path(name).expanduser()
    if name and folder.is_dir():
        return lambda file: folder / file if (folder / file).is_file() else None
    if folder.is_file():
        raise InputError(f"no ViTModel could be loaded from {name!r}: it is a file; its folder is wanted")
    if not _is_hub_name(name):
        known = f"there is no such folder; a backbone is one of {known_names()}"
        raise InputError(f"no ViTModel could be loaded from {name!r}: {known}")
    return _on_hub(name)


def _is_hub_name(name: str) -> bool:
    """Whether a name is of the hub's form, and not a path into a folder that is here, or one of a file."""
    if not HUB_NAME.fullmatch(name) or "--" in name or ".." in name:
        return False
    suffixes = (".pt", ".pth", ".bin", ".ckpt", ".safetensors", ".json", ".onnx", ".zip", ".tar", ".gz", ".pkl", ".h5")
    return not name.lower().endswith(suffixes) and not Path(name.partition("/")[0]).is_dir()


def _on_hub(name: str) -> Find:
    from huggingface_hub import constants, hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError
    from huggingface_hub.utils import get_session, logging

    logging.set_verbosity_error()
    try:
        get_session().head(constants.ENDPOINT, timeout=ANSWER)  # the download would try again for half a minute
        answers = True
    except Exception:  # of the operating system, a proxy, a certificate, or because it is told to stay offline
        answers = False

    def find(file: str) -> Path | None:
        try:
            return Path(hf_hub_download(name, file, local_files_only=not answers))
        except EntryNotFoundError:  # there, or among what was downloaded before
            return None
        except (HfHubHTTPError, OSError, ValueError) as error:
            problem = "the hub has no such model, or it is not open to all"
            raise InputError(f"no ViTModel could be loaded from {name!r}: {problem}") from error

    if not answers and find("config.json") is None:
        problem = "there is no such folder, and the Hugging Face hub does not answer"
        raise InputError(f"no ViTModel could be loaded from {name!r}: {problem}")
    return find


def checked_config(name: str, find: Find) -> dict:
    """The fields of a ``ViTModel``'s config that the course needs, each checked; the rest is left out.

    Raises:
        InputError: there is none, or a field in which it is not what the course can use.
    """
    from transformers import ViTConfig
    from transformers.activations import ACT2FN

    file = find("config.json")
    if file is None:
        raise InputError(f"{name!r} is no checkpoint of a ViTModel: there is no config.json in it")
    config = _json(name, file)
    if (kind := config.get("model_type") or "vit") not in KINDS:
        _refuse(name, f"its model_type is {str(kind)[:40]!r}, and the course takes {', '.join(KINDS)}")
    if config.get("quantization_config"):
        _refuse(name, "its weights are quantised")
    default = ViTConfig().to_dict()
    fields = {field: config.get(field, default[field]) for field in FIELDS}
    if not isinstance(fields["image_size"], int):
        _refuse(name, f"its image_size is {_short(fields['image_size'])}; one number is expected")
    for field in COUNTS:
        value, most = fields[field], MOST_PIXELS if field == "image_size" else MOST
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
            _refuse(name, f"its {field} is {_short(value)}; a whole number from 1 to {most} is expected")
    if fields["num_channels"] != 3:
        _refuse(name, f"its num_channels is {fields['num_channels']}, and photos have 3")
    size, patch, width, heads, *_ = (fields[field] for field in COUNTS)
    if size < patch:
        _refuse(name, f"its image_size {size} is smaller than its patch_size {patch}")
    if width % heads:
        _refuse(name, f"its hidden_size {width} is not divisible by its num_attention_heads {heads}")
    if not isinstance(fields["hidden_act"], str) or fields["hidden_act"] not in ACT2FN:
        _refuse(name, f"its hidden_act {_short(fields['hidden_act'])} is not known")
    if not isinstance(fields["qkv_bias"], bool):
        _refuse(name, f"its qkv_bias is {_short(fields['qkv_bias'])}; true or false is expected")
    for field in SHARES:
        value = fields[field]
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < 1:
            _refuse(name, f"its {field} is {_short(value)}; a number in [0, 1) is expected")
    return fields


def weight_files(name: str, find: Find) -> list[Path]:
    """The files that hold the weights of a model: one, or those that its index names.

    Raises:
        InputError: there are none, or one of them is missing.
    """
    for whole in ("model.safetensors", "pytorch_model.bin"):
        if file := find(whole):
            return [file]
        if index := find(f"{whole}.index.json"):
            places = _json(name, index).get("weight_map")
            if not isinstance(places, dict) or not all(isinstance(shard, str) for shard in places.values()):
                _refuse(name, f"{index.name}: it names no files of weights")
            files = {shard: find(shard) for shard in sorted(set(places.values()))}
            if missing := [shard for shard, file in files.items() if file is None]:
                _refuse(name, f"{missing[0]} is missing, one of {len(files)} files of weights")
            return list(files.values())
    raise InputError(
        f"{name!r} is no checkpoint of a ViTModel: there is no model.safetensors and no pytorch_model.bin in it"
    )


def _json(name: str, file: Path) -> dict:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        kind = kind_of(file)
        _refuse(name, f"{file.name} is {'a damaged JSON file' if kind.startswith('a JSON') else kind}")
    if not isinstance(content, dict):
        _refuse(name, f"{file.name} holds no settings")
    return content


def _refuse(name: str, problem: str) -> None:
    raise InputError(f"no ViTModel could be loaded from {name!r}: {problem}")


def _short(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 40 else text[:40] + " …"
