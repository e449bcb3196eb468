"""``asl_finetuning.trained(names, layers)``: the parameters that are still trained after freezing the first layers.

As `asl.freeze` does it, and the project that the lesson follows: the embeddings and the first layers keep their values.
"""

from collections.abc import Callable

from vitcourse.checks.engine.check import Check
from vitcourse.checks.engine.probe import Probe, Wrong, describe

trained = Check("asl_finetuning.trained")
EMBEDDINGS = ("backbone.cls_token", "backbone.pos_embed")
PATCHES = tuple(f"backbone.patch_embed.proj.{kind}" for kind in ("weight", "bias"))
PARTS = ("norm1.weight", "norm1.bias", "attn.qkv.weight", "attn.qkv.bias", "mlp.fc1.weight", "mlp.fc1.bias")
NORM = ("backbone.fc_norm.weight", "backbone.fc_norm.bias")
HEADS = tuple(
    f"{head}.{i}.{kind}" for head in ("classifier", "bounding_box") for i in (0, 3) for kind in ("weight", "bias")
)
DEPTH = 12


def _names(probe: Probe) -> list[str]:
    """A model of 12 blocks; the parts of a block and the heads' order are drawn."""
    parts = [part for part in PARTS if part.startswith("norm1") or probe.integer(0, 1)]
    blocks = [f"backbone.blocks.{i}.{part}" for i in range(DEPTH) for part in parts]
    heads = HEADS if probe.integer(0, 1) else (*HEADS[4:], *HEADS[:4])
    return [*EMBEDDINGS, *PATCHES, *blocks, *NORM, *heads]


def _block(name: str) -> int | None:
    return int(name.split(".")[2]) if name.startswith("backbone.blocks.") else None


def _kept(
    names: list[str], frozen: Callable[[int], bool], also: tuple[str, ...] = (*EMBEDDINGS, *PATCHES)
) -> list[str]:
    """The names that are left where ``frozen`` says which blocks are, and ``also`` which others."""
    return [name for name in names if name not in also and not (_block(name) is not None and frozen(_block(name)))]


def _suspects(names: list[str], layers: int) -> dict[str, list[str]]:
    def early(block: int) -> bool:
        return block < layers

    right = _kept(names, early)
    front, every = (*EMBEDDINGS, *PATCHES), range(DEPTH)
    digits = [name for name in names if name in right or (name not in front and _block(name) is None)]
    texts = {block for block in every if any(str(block).startswith(str(i)) for i in range(layers))}
    prefix = {block for block in every if str(block) < str(layers)}
    numbered = [name for name in digits if not any(part.isdigit() and int(part) < layers for part in name.split("."))]
    return {
        "the-frozen-ones": [name for name in names if name not in right],
        "digits-not-numbers/prefix": _kept(names, lambda block: block in texts),
        "digits-not-numbers/text": _kept(names, lambda block: block in prefix),
        "digits-not-numbers/one": _kept(names, lambda block: str(block).startswith(str(layers - 1)) or block < layers),
        "one-too-many": _kept(names, lambda block: block <= layers),
        "one-too-few": _kept(names, lambda block: block < layers - 1),
        "one-too-few/first": _kept(names, lambda block: 0 < block < layers),
        "last-not-first": _kept(names, lambda block: block >= DEPTH - layers),
        "last-not-first/the others": _kept(names, lambda block: block >= layers),
        "class-token": _kept(names, early, PATCHES),
        "class-token/token": _kept(names, early, (*PATCHES, "backbone.pos_embed")),
        "class-token/positions": _kept(names, early, (*PATCHES, "backbone.cls_token")),
        "patches": _kept(names, early, EMBEDDINGS),
        "patches/all embeddings": _kept(names, early, ()),
        "whole-backbone": [name for name in names if not name.startswith("backbone.")],
        "heads-frozen": [name for name in right if name not in HEADS],
        "heads-frozen/numbers": numbered,
        "last-norm": [name for name in right if name not in NORM],
        "biases-forgotten": [name for name in names if name in right or name.endswith("bias")],
        "biases-forgotten/weights": [name for name in names if name in right or name.endswith("weight")],
        "biases-forgotten/all": [name for name in right if not name.endswith("bias")],
    }


def _call(probe: Probe, names: list[str], layers: int) -> list[str]:
    value = probe.call(names, layers)
    if not isinstance(value, list | tuple) or not all(isinstance(name, str) for name in value):
        raise Wrong("wrong-type", f"Expected a list of names, got {describe(value)}.")
    return list(value)


def _judge(probe: Probe, layers: int, otherwise: str = "wrong-values") -> None:
    names = _names(probe)
    found, right = _call(probe, names, layers), _kept(names, lambda block: block < layers)
    if found == right:
        return
    missing = [name for name in right if name not in found]
    extra = [name for name in found if name not in right]
    detail = f"Of {len(names)} names and {layers} layers, {len(right)} are trained; you return {len(found)}."
    detail += f" Missing: {missing[0]}." if missing else f" Too much: {extra[0]}." if extra else ""
    if not missing and not extra and len(found) == len(right):
        raise Wrong("order", detail)
    if otherwise == "wrong-values":
        for misconception, wrong in _suspects(names, layers).items():
            if set(found) == set(wrong):
                raise Wrong(misconception.partition("/")[0], detail)
    raise Wrong(otherwise, detail)


@trained.property("embeddings and the first layers are frozen, all else is trained")
def _first(probe: Probe) -> None:
    _judge(probe, probe.integer(5, 8))


@trained.property("one layer, and as many as there are")
def _ends(probe: Probe) -> None:
    _judge(probe, 2)
    _judge(probe, DEPTH)


@trained.property("no layer: the embeddings alone are frozen")
def _zero(probe: Probe) -> None:
    _judge(probe, 0, "none-at-zero")
