"""Looking inside a model: what any of its parts gave during a forward pass, and where its attention goes in all.

Shape legend: B batch, H heads, N tokens.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import torch
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


def rollout(weights: Sequence[Tensor], residual: float = 0.5) -> Tensor:
    """How much of each input token is in each output token, if a layer only mixed tokens: (B, N, N), rows sum to 1.

    The heads of a layer are averaged, the residual path is added as a share of the identity, and the layers are
    multiplied, the first on the right. MLPs, values and norms are left out: it is a picture, not the computation.

    Source: Abnar and Zuidema, "Quantifying Attention Flow in Transformers" (2020), https://arxiv.org/abs/2005.00928,
    section 3.

    Args:
        weights: (B, H, N, N) for each layer, from the first on.
        residual: the share of a token that goes past the attention.
    """
    total = torch.eye(weights[0].shape[-1], dtype=weights[0].dtype, device=weights[0].device)
    for layer in weights:
        mixed = residual * torch.eye(layer.shape[-1]).to(layer) + (1 - residual) * layer.mean(dim=1)
        total = mixed @ total
    return total


def attention_distance(weights: Tensor, columns: int) -> Tensor:
    """How far a patch looks, in patches, on average over all patches: (B, H).

    Weights on the class token, which stands nowhere, are left out, and the others made to sum to 1.

    Source: Dosovitskiy et al. 2020, https://arxiv.org/abs/2010.11929, section 4.5 and appendix D.7.

    Args:
        weights: (B, H, 1 + N, 1 + N), the class token first, the patches in reading order.
        columns: patches in a row.
    """
    among = weights[..., 1:, 1:]
    among = among / among.sum(dim=-1, keepdim=True)
    place = torch.arange(among.shape[-1], device=among.device)
    places = torch.stack([place // columns, place % columns], dim=1).to(among)
    return (among * torch.cdist(places, places)).sum(dim=-1).mean(dim=-1)
