"""Answers to ``vit.model``: a whole ViT from a state dict."""

import re

import torch
import torch.nn.functional as F

from tests.checks.bank.entries import Bank
from tests.checks.bank.vit_block import by_modules, written_out

BANK = Bank("vit.model", seeds=3)


def embed(images, state, size):
    weight, bias = state["patch_embed.proj.weight"], state["patch_embed.proj.bias"]
    return F.conv2d(images, weight, bias, stride=size).flatten(2).transpose(1, 2)


def with_class_token(patches, state):
    return torch.cat([state["cls_token"].expand(len(patches), -1, -1), patches], dim=1) + state["pos_embed"]


def own_state(state, place):
    return {name.split(".", 2)[2]: part for name, part in state.items() if name.startswith(f"blocks.{place}.")}


def encode(tokens, state, heads, places=None):
    depth = 1 + max(int(name.split(".")[1]) for name in state if name.startswith("blocks."))
    for place in range(depth) if places is None else places(depth):
        tokens = written_out(tokens, own_state(state, place), heads)
    return tokens


def read(tokens, state, pool=lambda tokens: tokens[:, 0], normed=True, eps=1e-6):
    if normed:
        tokens = F.layer_norm(tokens, tokens.shape[-1:], state["norm.weight"], state["norm.bias"], eps)
    return F.linear(pool(tokens), state["head.weight"], state["head.bias"])


def answer(patches=embed, tokens=with_class_token, places=None, **how):
    def model(images, state, patch_size, num_heads):
        found = encode(tokens(patches(images, state, patch_size), state), state, num_heads, places)
        return read(found, state, **how)

    return model


BANK.right(answer())
BANK.wrong("other-epsilon")(answer(eps=1e-5))
BANK.wrong("other-epsilon")(answer(eps=1e-12))


@BANK.right
def by_unfold(images, state, patch_size, num_heads):
    cut = F.unfold(images, patch_size, stride=patch_size).transpose(1, 2)
    weight = state["patch_embed.proj.weight"].reshape(state["patch_embed.proj.weight"].shape[0], -1)
    patches = cut @ weight.T + state["patch_embed.proj.bias"]
    front = (state["cls_token"] + state["pos_embed"][:, :1]).repeat(len(images), 1, 1)
    tokens = torch.cat((front, patches + state["pos_embed"][:, 1:]), 1)
    place = 0
    while f"blocks.{place}.norm1.weight" in state:
        prefix = re.compile(rf"blocks\.{place}\.")
        own = {prefix.sub("", name): part for name, part in state.items() if prefix.match(name)}
        tokens, place = by_modules(tokens, own, num_heads), place + 1
    first = tokens[:, 0]
    normed = (first - first.mean(-1, keepdim=True)) / (first.var(-1, keepdim=True, unbiased=False) + 1e-6) ** 0.5
    return (normed * state["norm.weight"] + state["norm.bias"]) @ state["head.weight"].T + state["head.bias"]


def bare_class_token(patches, state):
    front = state["cls_token"].expand(len(patches), -1, -1)
    return torch.cat([front, patches + state["pos_embed"][:, 1:]], dim=1)


def token_behind(patches, state):
    return torch.cat([patches, state["cls_token"].expand(len(patches), -1, -1)], dim=1) + state["pos_embed"]


def as_texts(depth):
    return sorted(range(depth), key=str)


def unbiased_patches(images, state, size):
    return F.conv2d(images, state["patch_embed.proj.weight"], stride=size).flatten(2).transpose(1, 2)


def down_the_columns(images, state, size):
    found = F.conv2d(images, state["patch_embed.proj.weight"], state["patch_embed.proj.bias"], stride=size)
    return found.transpose(2, 3).flatten(2).transpose(1, 2)


def reshaped(images, state, size):
    found = F.conv2d(images, state["patch_embed.proj.weight"], state["patch_embed.proj.bias"], stride=size)
    return found.reshape(len(images), -1, found.shape[1])


def pixels_first(images, state, size):
    batch, channels = images.shape[:2]
    cut = images.unfold(2, size, size).unfold(3, size, size).permute(0, 2, 3, 4, 5, 1)
    cut = cut.reshape(batch, -1, size * size * channels)
    return F.linear(cut, state["patch_embed.proj.weight"].flatten(1), state["patch_embed.proj.bias"])


def no_positions(patches, state):
    return torch.cat([state["cls_token"].expand(len(patches), -1, -1), patches], dim=1)


BANK.wrong("no-positions")(answer(tokens=no_positions))
BANK.wrong("class-token-without-position")(answer(tokens=bare_class_token))
BANK.wrong("class-token-last")(answer(tokens=token_behind, pool=lambda tokens: tokens[:, -1]))
BANK.wrong("class-token-last")(answer(tokens=token_behind))
BANK.wrong("reads-a-patch")(answer(pool=lambda tokens: tokens[:, -1]))
BANK.wrong("reads-a-patch")(answer(pool=lambda tokens: tokens[:, 1]))
BANK.wrong("mean-of-tokens")(answer(pool=lambda tokens: tokens.mean(dim=1)))
BANK.wrong("mean-of-tokens")(answer(pool=lambda tokens: tokens[:, 1:].mean(dim=1)))
BANK.wrong("all-tokens")(answer(pool=lambda tokens: tokens))
BANK.wrong("no-final-norm")(answer(normed=False))
BANK.wrong("blocks-as-texts")(answer(places=as_texts))
BANK.wrong("blocks-reversed")(answer(places=lambda depth: range(depth)[::-1]))
BANK.wrong("blocks-missing")(answer(places=lambda depth: range(depth - 1)))
BANK.wrong("blocks-missing")(answer(places=lambda depth: range(10)))
BANK.wrong("one-block-for-all")(answer(places=lambda depth: [0] * depth))
BANK.wrong("columns-first")(answer(down_the_columns))
BANK.wrong("pixel-order")(answer(pixels_first))
BANK.wrong("reshaped-not-moved")(answer(reshaped))
BANK.wrong("no-patch-bias")(answer(unbiased_patches))
BANK.wrong("probabilities")(lambda *inputs: answer()(*inputs).softmax(dim=-1))
BANK.wrong("answers")(lambda *inputs: answer()(*inputs).argmax(dim=-1))
BANK.wrong("cuts-gradient")(lambda images, *others: answer()(images.detach(), *others))
BANK.wrong("wrong-type")(lambda *inputs: None)
BANK.wrong("wrong-values")(lambda *inputs: -answer()(*inputs))
BANK.wrong("lost-precision")(
    lambda images, state, *others: answer()(images.float(), {k: v.float() for k, v in state.items()}, *others).to(
        images
    )
)


@BANK.wrong("forbidden-call")
def finished(images, state, patch_size, num_heads):
    from vitcourse.patches import patchify

    patches = F.linear(patchify(images, patch_size), state["patch_embed.proj.weight"].flatten(1))
    tokens = with_class_token(patches + state["patch_embed.proj.bias"], state)
    return read(encode(tokens, state, num_heads), state)
