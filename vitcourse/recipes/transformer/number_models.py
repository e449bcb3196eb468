"""The recorded run ``number_models``: lesson 03's Transformer at a few moments of its training, for the page that
writes numbers with it.
"""

import torch
from torch import nn

from vitcourse.data.sequences import VOCABULARY, number_pairs
from vitcourse.recipes import Say, recipe
from vitcourse.recipes.transformer import number_words
from vitcourse.recipes.transformer.number_words import MODEL, SMOOTHING, TRAINING, exact_match
from vitcourse.training import fit
from vitcourse.transformer import Transformer
from vitcourse.weights.script import pack, unpack

KEPT = (0, 1, 2, TRAINING.epochs)  # epochs after which the weights are kept


def from_page(packed: dict) -> Transformer:
    """The model that a page computes."""
    model = Transformer(MODEL)
    model.load_state_dict(unpack(packed))
    return model.eval()


@recipe("number_models")
def record(say: Say) -> dict:
    """Trains as `number_words` does, with its first seed."""
    train, unseen = number_pairs(number_words.TRAIN, number_words.UNSEEN)
    torch.manual_seed(TRAINING.seed)
    model, rows, models = Transformer(MODEL), [], {}

    def look(model: nn.Module) -> dict[str, float]:
        packed = pack(model.state_dict())
        right = {"exact": exact_match(model, unseen), "exact_in_8_bits": exact_match(from_page(packed), unseen)}
        if len(rows) in KEPT:
            models[len(rows)] = packed
        rows.append({"epoch": len(rows)} | right)
        say(", ".join(f"{name} {value:g}" for name, value in rows[-1].items()))
        return right

    look(model)
    fit(model, train, number_words.loss_function(SMOOTHING), TRAINING, evaluate=look)
    return {"seed": TRAINING.seed, "heads": MODEL.num_heads, "words": VOCABULARY, "rows": rows, "models": models}
