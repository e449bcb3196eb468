"""The recorded run ``bert_models``: lesson 04's small BERT at a few moments of its training, for the page that fills
gaps with it.
"""

import math

from vitcourse.bert import BertForPreTraining
from vitcourse.recipes import Say, recipe
from vitcourse.recipes.bert import small
from vitcourse.weights.script import pack, unpack

MOMENTS = (0.0, 0.02, 0.2, 1.0)  # of the training, after which the weights are kept


def from_page(packed: dict) -> BertForPreTraining:
    """The model that a page computes."""
    weights = unpack(packed)
    model = small.build(0, len(weights["mlm.bias"]))
    model.load_state_dict(weights)
    return model.eval()


@recipe("bert_models")
def record(say: Say) -> dict:
    """Trains both ways as `bert_text` does, with its first seed."""
    corpus = small.read_corpus()
    examples, rows, models = corpus.test_pairs(), [], {}
    pairs = len(corpus.pairs(corpus.train, 1, small.HIDDEN, 0)["tokens"])
    total = math.ceil(small.ROUNDS * pairs / small.TRAINING.batch_size)
    kept = {round(total * share) for share in MOMENTS}

    def look(model: BertForPreTraining, step: int) -> None:
        if step not in kept:
            return
        models[step] = pack(model.state_dict())
        right = {"hidden": small.judge(model, examples)["hidden"]}
        right["hidden_in_8_bits"] = small.judge(from_page(models[step]), examples)["hidden"]
        rows.append({"steps": step} | right)
        say(", ".join(f"{name} {value:g}" for name, value in rows[-1].items()))

    small.pretrain(corpus, rounds=small.ROUNDS, on_step=look)
    words = [corpus.tokenizer.id_to_token(i) for i in range(corpus.tokenizer.get_vocab_size())]
    return {
        "seed": small.TRAINING.seed,
        "heads": small.MODEL.num_heads,
        "length": small.LENGTH,
        "words": words,
        "rows": rows,
        "models": models,
    }
