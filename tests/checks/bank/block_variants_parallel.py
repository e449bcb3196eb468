"""Answers to ``block_variants.parallel``: attentions side by side, then MLPs side by side."""

import torch
import torch.nn.functional as F

from tests.checks.bank.entries import Bank
from tests.checks.bank.vit_block import attend, ln, mlp

BANK = Bank("block_variants.parallel")


def parts(state, kind):
    """The weights of each branch, by the names within it."""
    found = {}
    for name, part in state.items():
        start, place, rest = name.split(".", 2)
        if start == kind:
            found.setdefault(int(place), {})[rest] = part
    return [found[place] for place in sorted(found)]


def change(x, own, heads, *, norm=None, gamma="own", before=False):
    """What a branch adds; ``norm`` is the state whose norm is used, or None for its own."""
    scale = (own if gamma == "own" else gamma or {}).get("ls.gamma", 1.0)
    normed = ln(x, norm or own, "norm")
    read = scale * normed if before else normed
    made = attend(read, own, heads) if "attn.qkv.weight" in own else mlp(read, own)
    return made if before else scale * made


@BANK.right
def two_sums(x, state, num_heads):
    for kind in ("attns", "ffns"):
        x = x + sum(change(x, own, num_heads) for own in parts(state, kind))
    return x


@BANK.right
def counted_up(x, state, num_heads):
    """By names, in a loop over numbers, with a total that grows beside the tokens that are read."""
    for kind in ("attns", "ffns"):
        total, place = x.clone(), 0
        while f"{kind}.{place}.norm.weight" in state:
            start = f"{kind}.{place}."
            own = {name[len(start) :]: part for name, part in state.items() if name.startswith(start)}
            normed = F.layer_norm(x, x.shape[-1:], own["norm.weight"], own["norm.bias"], 1e-6)
            made = attend(normed, own, num_heads) if kind == "attns" else mlp(normed, own)
            total = total + (made * own["ls.gamma"] if "ls.gamma" in own else made)
            place += 1
        x = total
    return x


def answer(first=None, second=None, few=None, **how):
    """The right answer with a step replaced: each of (x, changes of it, block's input)."""

    def block(x, state, num_heads):
        start = x
        for kind, step in (("attns", first), ("ffns", second)):
            owns = parts(state, kind)[:few]
            made = [change(x, own, num_heads, **{k: v(owns) for k, v in how.items()}) for own in owns]
            x = x + sum(made) if step is None else step(x, made, start)
        return x

    return block


def both(step):
    return answer(step, step)


BANK.wrong("residual-from-start")(answer(second=lambda x, made, start: start + sum(made)))
BANK.wrong("no-residual")(both(lambda x, made, _: sum(made)))
BANK.wrong("no-residual")(answer(first=lambda x, made, _: sum(made)))
BANK.wrong("no-residual")(answer(second=lambda x, made, _: sum(made)))
BANK.wrong("counts-x-again")(both(lambda x, made, _: sum(x + one for one in made)))
BANK.wrong("mean-of-branches")(both(lambda x, made, _: x + torch.stack(made).mean(dim=0)))
BANK.wrong("one-branch")(answer(few=1))
BANK.wrong("one-branch")(answer(few=2))
BANK.wrong("no-gamma")(answer(gamma=lambda owns: None))
BANK.wrong("one-gamma")(answer(gamma=lambda owns: owns[0]))
BANK.wrong("gamma-before")(answer(before=lambda owns: True))
BANK.wrong("one-norm")(answer(norm=lambda owns: owns[0]))
BANK.wrong("cuts-gradient")(lambda x, state, heads: two_sums(x.detach(), state, heads))
BANK.wrong("wrong-shape")(lambda x, state, heads: two_sums(x, state, heads)[:, 0])
BANK.wrong("wrong-values")(lambda x, state, heads: two_sums(x, state, heads) - x)


@BANK.wrong("in-sequence")
def in_turn(x, state, num_heads):
    for kind in ("attns", "ffns"):
        for own in parts(state, kind):
            x = x + change(x, own, num_heads)
    return x


@BANK.wrong("in-sequence")
def block_after_block(x, state, num_heads):
    for attention, ffn in zip(parts(state, "attns"), parts(state, "ffns"), strict=True):
        x = x + change(x, attention, num_heads)
        x = x + change(x, ffn, num_heads)
    return x


@BANK.wrong("in-sequence")
def only_the_mlps_in_turn(x, state, num_heads):
    x = x + sum(change(x, own, num_heads) for own in parts(state, "attns"))
    for own in parts(state, "ffns"):
        x = x + change(x, own, num_heads)
    return x


@BANK.wrong("all-at-once")
def one_sum(x, state, num_heads):
    return x + sum(change(x, own, num_heads) for kind in ("attns", "ffns") for own in parts(state, kind))


@BANK.wrong("ffns-first")
def turned(x, state, num_heads):
    for kind in ("ffns", "attns"):
        x = x + sum(change(x, own, num_heads) for own in parts(state, kind))
    return x


@BANK.wrong("norm-missing")
def bare(x, state, num_heads):
    for kind in ("attns", "ffns"):
        layer = (lambda x, own: attend(x, own, num_heads)) if kind == "attns" else mlp
        x = x + sum(own.get("ls.gamma", 1.0) * layer(x, own) for own in parts(state, kind))
    return x


@BANK.wrong("needs-gamma")
def always_scaled(x, state, num_heads):
    for kind in ("attns", "ffns"):
        x = x + sum(own["ls.gamma"] * change(x, own, num_heads, gamma=None) for own in parts(state, kind))
    return x
