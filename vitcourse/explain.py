"""Looking inside a model: what any of its parts gave during a forward pass, by the part's name."""

from collections.abc import Iterable
from typing import Any

from torch import Tensor, nn

from vitcourse.attention import MultiHeadAttention

WEIGHTS = ".weights"


def intermediates(model: nn.Module, names: Iterable[str], *inputs: Any, **options: Any) -> tuple[Any, dict[str, Any]]:
    """Runs ``model(*inputs, **options)`` and also returns what the named parts gave.

    Args:
        model: any model of the course. It is not changed, and its output is the same as without.
        names: names of modules, as in ``model.named_modules()``: for a ViT "patch_embed", "pos_drop" (the tokens with
            their positions), "blocks.3", "blocks.3.attn", "norm". The name of an attention followed by ".weights",
            such as "blocks.3.attn.weights", asks for its weights (B, H, L, S).

    Returns:
        The model's output, and a dict with the output of each name; a module that ran several times gives its last.

    Raises:
        ValueError: a name that is no module of the model, or ".weights" of something that is no attention.
    """
    names = list(names)
    modules = dict(model.named_modules())
    for name in names:
        module = modules.get(name.removesuffix(WEIGHTS) if name not in modules else name)
        if not name or module is None:
            raise ValueError(f"{type(model).__name__} has no part {name!r}; its parts are those of named_modules()")
        if name not in modules and not isinstance(module, MultiHeadAttention):
            raise ValueError(f"{name!r} asks for the weights of a {type(module).__name__}, which is no attention")

    found: dict[str, Tensor] = {}
    handles = []
    try:
        # Those that ask for weights come first: they unpack the pair, so that a hook after them sees the output alone.
        for name in sorted(names, key=lambda name: name in modules):
            if name in modules:
                handles.append(modules[name].register_forward_hook(_keep_output(found, name)))
            else:
                attention = modules[name.removesuffix(WEIGHTS)]
                handles.append(attention.register_forward_pre_hook(_ask_for_weights, with_kwargs=True))
                handles.append(attention.register_forward_hook(_keep_weights(found, name)))
        output = model(*inputs, **options)
    finally:
        for handle in handles:
            handle.remove()
    return output, found


def _ask_for_weights(_module: nn.Module, args: tuple, options: dict) -> tuple[tuple, dict]:
    return args, options | {"return_weights": True}


def _keep_weights(found: dict, name: str):
    def hook(_module, _args, output):
        tokens, found[name] = output
        return tokens

    return hook


def _keep_output(found: dict, name: str):
    def hook(_module, _args, output):
        found[name] = output

    return hook
