"""Converting weights: the names of timm, Hugging Face, DeiT, torchvision and PyTorch to ours, and back.

The names are tables in `vitcourse.weights.names`; here is what applies them. Nothing is guessed and nothing is lost:
whatever a table does not know, or a model needs and does not get, is named in a ``KeyError``.
"""

import re
import warnings
from collections import Counter
from functools import cache

import torch
from torch import Tensor

from vitcourse.errors import some
from vitcourse.weights.checkpoints import State
from vitcourse.weights.names import LAYOUTS, Layout, layout_of
from vitcourse.weights.shapes import Config, expected_shapes, family_of

MOST_MODELS = 4  # that may lie in one state dict, under prefixes (a student, a teacher, their heads)


def convert(state_dict: State, source: str, target: str = "vitcourse", config: Config | None = None) -> State:
    """The weights of one library, a state dict, under the names of another.

    Args:
        state_dict: names to tensors. It is not changed; a tensor that only changes its name is shared.
        source: where it is from: "vitcourse", "timm", "deit" (models_v2.py), "hf" (ViTModel and
            ViTForImageClassification, both key layouts, with or without ``vit.``), "torchvision", "hf_bert" (BertModel
            and BertForPreTraining) or "torch" (nn.Transformer, nn.MultiheadAttention).
        target: where it is for: one of the same names, in the newest layout of that library.
        config: our config of the model. With it, names and shapes must be those of that model; without it, the names
            must be those of some model of the course.

    Returns:
        The state dict for ``load_state_dict`` of the target. There and back is the identity, but for what our models
        have not: ``pooler.*`` of a ViT, ``embeddings.mask_token`` and BERT's ``embeddings.position_ids`` are dropped
        with a warning, and so is a head where ``config.num_classes`` is 0. BERT's output layer, which is the word
        embedding once more, is left out coming in and made again going out.

    Raises:
        KeyError: unknown or missing names: the prefix that would mend it if taken off, or the first few, never more
            than five, and how many there are beside them.
        ValueError: an unknown library, two libraries of different models, a shape that is not the config's, or an
            output layer of BERT that is not its word embedding.
    """
    for library in (source, target):
        if library not in LAYOUTS:
            raise ValueError(f"weights are converted between {', '.join(LAYOUTS)}, got {library!r}")
    families = {LAYOUTS[library].family for library in (source, target)} - {""}
    if len(families) > 1:
        raise ValueError(f"{source!r} and {target!r} name different models")
    ours = _to_ours(state_dict, source, families.pop() if families else family_of(state_dict), config)
    return ours if target == "vitcourse" else _to_theirs(ours, target)


def _to_ours(state: State, source: str, family: str, config: Config | None, mend: bool = True) -> State:
    layout = layout_of(source, state)
    parts: dict[str, dict[int, Tensor]] = {}  # our name, and the place in the joined tensor
    given: dict[str, list[str]] = {}  # our name, and the names that it came under
    unknown = []
    for name, tensor in _without_extras(state, layout, source).items():
        own, place = _our_name(name, layout)
        if own is None:
            unknown.append(name)
        else:
            parts.setdefault(own, {})[place] = tensor
            given.setdefault(own, []).append(name)

    expected = expected_shapes(family, parts, config)
    if getattr(config, "num_classes", None) == 0:
        for own in [own for own in parts if own.startswith("head.")]:
            _drop(source, given[own][0], "the config has no classes")
            del parts[own]
    unknown += [name for own in parts if own not in expected for name in given[own]]
    names = {own: _their_names(own, layout) for own in expected}
    missing = [name for own in expected for i, name in enumerate(names[own]) if i not in parts.get(own, {})]
    if mend and (prefixes := _mending_prefixes(unknown, state, source, config)):
        found = some(name for name in unknown if name.startswith(prefixes[0]))
        raise KeyError(f"{source}: without the prefix {' or '.join(map(repr, prefixes))} the names are right: {found}")
    _refuse(source, {"unknown": unknown, "missing": missing})

    ours = {}
    for own, shape in expected.items():
        pieces = [parts[own][i] for i in range(len(names[own]))]
        ours[own] = pieces[0] if len(pieces) == 1 else torch.cat(pieces)
        if config is not None and ours[own].shape != shape:
            found = tuple(ours[own].shape)
            raise ValueError(f"{source}: {', '.join(given[own])}: shape {found}, the config asks for {tuple(shape)}")
    return ours


def _to_theirs(ours: State, target: str) -> State:
    layout = layout_of(target, ours)
    theirs: State = {}
    nameless = []
    for own, tensor in ours.items():
        names = _their_names(own, layout)
        if not names:
            nameless.append(own)
        # Each piece a tensor of its own: safetensors saves none that share memory.
        pieces = [tensor] if len(names) == 1 else [piece.clone() for piece in tensor.chunk(3)]
        theirs |= zip(names, pieces, strict=False)
    _refuse(target, {"no name for": nameless})
    theirs |= {copy: theirs[name] for copy, name in layout.copies if name in theirs}
    if any(name.startswith(layout.heads) for name in theirs):
        theirs = {name if name.startswith(layout.heads) else layout.prefix + name: t for name, t in theirs.items()}
    return theirs


def _mending_prefixes(unknown: list[str], state: State, source: str, config: Config | None) -> list[str]:
    """What stands before the names of a whole model: a wrapper, or where the backbone is in something larger."""
    parts = [name.split(".") for name in unknown]
    counts = Counter(".".join(words[:length]) + "." for words in parts for length in range(1, len(words)))
    mending = []
    for prefix in sorted((prefix for prefix, count in counts.items() if count >= len(state) / MOST_MODELS), key=len):
        if prefix.startswith(tuple(mending)):
            continue
        within = {name.removeprefix(prefix): tensor for name, tensor in state.items() if name.startswith(prefix)}
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                _to_ours(within, source, LAYOUTS[source].family or family_of(within), config, mend=False)
        except (KeyError, ValueError):
            continue
        mending.append(prefix)
    return mending


def _refuse(library: str, faults: dict[str, list[str]]) -> None:
    faults = {fault: names for fault, names in faults.items() if names}
    most = {1: (5,), 2: (3, 2)}.get(len(faults), ())  # five names in all
    told = [f"{fault}: {some(names, number)}" for (fault, names), number in zip(faults.items(), most, strict=True)]
    if told:
        raise KeyError(f"{library}: {'; '.join(told)}")


def _drop(library: str, name: str, why: str) -> None:
    warnings.warn(f"{library}: {name} is dropped: {why}", stacklevel=4)


def _without_extras(state: State, layout: Layout, source: str) -> State:
    """The state dict without what our models have no place for, and without repeated parameters."""
    copies = dict(layout.copies)
    kept = {}
    for name, tensor in state.items():
        if re.fullmatch(layout.dropped, name):
            _drop(source, name, "our model has no place for it")
        elif name not in copies:
            kept[name] = tensor
        elif copies[name] in state and not torch.equal(tensor, state[copies[name]]):
            raise ValueError(f"{source}: {name} must be tied to {copies[name]}, and they differ")
    return kept


@cache
def _pattern(template: str) -> re.Pattern:
    """Matches the names that a template stands for: its numbers, then what follows the name."""
    return re.compile(re.escape(template).replace(r"\*", r"(\d+)") + r"((?:\.\w+)*)")


def _rename(name: str, old: str, new: str) -> str | None:
    """``name`` with the template ``old`` replaced by ``new``; None where it is not of that form."""
    found = _pattern(old).fullmatch(name)
    if found is None:
        return None
    *numbers, rest = found.groups()
    for number in numbers:
        new = new.replace("*", number, 1)
    return new + rest


def _our_name(name: str, layout: Layout) -> tuple[str | None, int]:
    """Our name for one of theirs, and its place where three of theirs are joined in one of ours."""
    for pattern, replacement in layout.older:
        name = re.sub(pattern, replacement, name)
    if not layout.rules:
        return name, 0
    for own, theirs in layout.rules:
        for place, template in enumerate((theirs,) if isinstance(theirs, str) else theirs):
            if (renamed := _rename(name, template, own)) is not None:
                return renamed, place
    return None, 0


def _their_names(own: str, layout: Layout) -> list[str]:
    """Their name for one of ours, or their three; none where the table has no rule for it."""
    if not layout.rules:
        return [own]
    for template, theirs in layout.rules:
        if _pattern(template).fullmatch(own):
            return [_rename(own, template, name) for name in ((theirs,) if isinstance(theirs, str) else theirs)]
    return []
