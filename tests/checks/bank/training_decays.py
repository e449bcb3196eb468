"""Answers to ``training.decays``: which parameters of a ViT decay."""

from tests.checks.bank.entries import Bank

BANK = Bank("training.decays")


@BANK.right
def by_axes_and_names(parameters, decay):
    found = []
    for name, value in parameters.items():
        own = name.split(".")[-1]
        if value.dim() == 1 or own in ("cls_token", "dist_token", "pos_embed"):
            found.append(0.0)
        else:
            found.append(decay)
    return found


@BANK.right
def maps_are_weights_of_two_axes_or_more(parameters, decay):
    """Tokens and positions are no `weight`."""
    return [decay * (name.endswith("weight") and len(value.shape) >= 2) for name, value in parameters.items()]


def rule(misconception, decays):
    BANK.wrong(misconception)(
        lambda parameters, decay: [decay if decays(name, value) else 0.0 for name, value in parameters.items()]
    )


def token(name):
    return any(part in name for part in ("cls_token", "dist_token", "pos_embed"))


rule("turned-round", lambda name, value: value.ndim == 1 or token(name))
rule("all-decay", lambda name, value: True)
rule("tokens-decay", lambda name, value: value.ndim > 1)
rule("position-decays", lambda name, value: value.ndim > 1 and "token" not in name)
rule("class-token-decays", lambda name, value: value.ndim > 1 and not name.endswith(("pos_embed", "dist_token")))
rule("distillation-token-decays", lambda name, value: value.ndim > 1 and not name.endswith(("pos_embed", "cls_token")))
rule("norms-decay", lambda name, value: not token(name) and ".bias" not in name)
rule("norms-decay", lambda name, value: not name.endswith(".bias"))
rule("norms-decay", lambda name, value: "weight" in name)
rule("biases-decay", lambda name, value: "bias" in name or (value.ndim > 1 and not token(name)))
rule("norms-by-name", lambda name, value: not any(part in name for part in ("norm", "bias", "token", "pos_embed")))
rule(
    "norms-by-name",
    lambda name, value: not any(part in name for part in ("norm", "bias", "token", "pos_embed", "gamma")),
)
rule("gammas-decay", lambda name, value: "gamma" in name or (value.ndim > 1 and not token(name)))
rule("patches-do-not-decay", lambda name, value: value.ndim == 2)
rule("patches-do-not-decay", lambda name, value: value.ndim > 1 and not token(name) and "patch" not in name)
rule("head-does-not-decay", lambda name, value: value.ndim > 1 and not token(name) and "head" not in name)
rule("whole-names", lambda name, value: value.ndim > 1 and name not in ("cls_token", "dist_token", "pos_embed"))
rule(
    "whole-names", lambda name, value: value.ndim > 1 and not name.startswith(("cls_token", "dist_token", "pos_embed"))
)
rule("tokens-by-shape", lambda name, value: value.ndim > 1 and value.shape[0] != 1)
rule("wrong-values", lambda name, value: "qkv" in name)
BANK.wrong("wrong-type")(lambda parameters, decay: dict.fromkeys(parameters, decay))
BANK.wrong("wrong-shape")(lambda parameters, decay: [decay for value in parameters.values() if value.ndim > 1])
BANK.wrong("wrong-type")(lambda parameters, decay: [value.ndim > 1 for value in parameters.values()])
