"""Answers to ``asl_finetuning.trained``: the names that are trained."""

import re

from tests.checks.bank.entries import Bank

BANK = Bank("asl_finetuning.trained")
EMBEDDINGS = ("backbone.cls_token", "backbone.pos_embed", "backbone.patch_embed.")


def number(name):
    found = re.match(r"backbone\.blocks\.(\d+)\.", name)
    return int(found.group(1)) if found else None


def answer(
    embedding=lambda name: name.startswith(EMBEDDINGS), early=lambda i, layers: i < layers, more=lambda name: False
):
    """The right answer, or one with a part replaced; ``more`` freezes other names."""

    def trained(names, layers):
        def frozen(name):
            block = number(name)
            return embedding(name) or more(name) or (block is not None and early(block, layers))

        return [name for name in names if not frozen(name)]

    return trained


BANK.right(answer())


@BANK.right
def with_starts(names, layers):
    starts = [*EMBEDDINGS, *(f"backbone.blocks.{i}." for i in range(layers))]
    return [name for name in names if not any(name.startswith(start) for start in starts)]


@BANK.right
def in_a_loop(names, layers):
    kept = []
    for name in names:
        parts = name.split(".")
        late = parts[1] == "blocks" and int(parts[2]) >= layers
        if parts[0] != "backbone" or parts[1] in ("norm", "fc_norm") or late:
            kept.append(name)
    return tuple(kept)


def starting(names, starts):
    return [name for name in names if not name.startswith(tuple(starts))]


BANK.wrong("the-frozen-ones")(lambda names, layers: [name for name in names if name not in answer()(names, layers)])
BANK.wrong("digits-not-numbers")(
    lambda names, layers: starting(names, [*EMBEDDINGS, *(f"backbone.blocks.{i}" for i in range(layers))])
)
BANK.wrong("digits-not-numbers")(answer(early=lambda i, layers: str(i) < str(layers)))
BANK.wrong("one-too-many")(answer(early=lambda i, layers: i <= layers))
BANK.wrong("one-too-few")(answer(early=lambda i, layers: i < layers - 1))
BANK.wrong("one-too-few")(answer(early=lambda i, layers: 0 < i < layers))
BANK.wrong("last-not-first")(answer(early=lambda i, layers: i >= 12 - layers))
BANK.wrong("last-not-first")(answer(early=lambda i, layers: i >= layers))
BANK.wrong("class-token")(answer(embedding=lambda name: name.startswith("backbone.patch_embed.")))
BANK.wrong("class-token")(answer(embedding=lambda name: name.startswith(EMBEDDINGS[1:])))
BANK.wrong("class-token")(answer(embedding=lambda name: name.startswith(EMBEDDINGS[::2])))
BANK.wrong("patches")(answer(embedding=lambda name: name.startswith(EMBEDDINGS[:2])))
BANK.wrong("patches")(answer(embedding=lambda name: False))
BANK.wrong("whole-backbone")(answer(more=lambda name: name.startswith("backbone")))
BANK.wrong("heads-frozen")(answer(more=lambda name: not name.startswith("backbone")))
BANK.wrong("last-norm")(answer(more=lambda name: "fc_norm" in name))
BANK.wrong("wrong-values")(answer(more=lambda name: "norm1" in name))
BANK.wrong("wrong-values")(lambda names, layers: [])
BANK.wrong("order")(lambda names, layers: sorted(answer()(names, layers)))
BANK.wrong("order")(lambda names, layers: answer()(names, layers)[::-1])
BANK.wrong("none-at-zero")(lambda names, layers: answer()(names, layers) if layers else list(names))
BANK.wrong("none-at-zero")(lambda names, layers: answer()(names, max(layers, 1)))
BANK.wrong("wrong-type")(lambda names, layers: len(answer()(names, layers)))
BANK.wrong("wrong-type")(lambda names, layers: dict.fromkeys(answer()(names, layers), True))
BANK.wrong("wrong-type")(lambda names, layers: [names.index(name) for name in answer()(names, layers)])
BANK.wrong("wrong-type")(lambda names, layers: set(answer()(names, layers)))


@BANK.wrong("heads-frozen")
def any_number_in_the_name(names, layers):
    return [
        name
        for name in answer()(names, layers)
        if not any(part.isdigit() and int(part) < layers for part in name.split("."))
    ]


@BANK.wrong("biases-forgotten")
def weights_alone(names, layers):
    return [name for name in names if name in answer()(names, layers) or name.endswith("bias")]


@BANK.wrong("biases-forgotten")
def without_any_bias(names, layers):
    return [name for name in answer()(names, layers) if not name.endswith("bias")]


@BANK.wrong("changes-inputs")
def removes_as_it_goes(names, layers):
    for name in list(names):
        if name not in answer()(names, layers):
            names.remove(name)
    return names
