"""The recorded run ``bert_text``: the small BERT of lesson 04 over several seeds, and what counting alone gets right.

What is recorded: how many hidden words of unseen documents it fills in, trained both ways, left to right alone, and
without the swapped and kept words, and once for three times as long; where its heads look; how well it tells whether B
follows A; and two tasks that it is fine-tuned for, from the pre-trained weights and from fresh ones.
"""

from dataclasses import asdict, replace
from pathlib import Path

from vitcourse.data.text import SPECIAL, encode
from vitcourse.recipes import Say, recipe
from vitcourse.recipes.bert import small, tuning
from vitcourse.recipes.bert.small import Corpus, Examples
from vitcourse.recipes.bert.word_counts import OverlapRule, WordCounts, majority

SEEDS = (0, 1, 2)
LONGER = 3  # times as many rounds, for the first seed
WAYS = {
    "both ways": {},
    "left to right": {"config": replace(small.MODEL, is_causal=True)},
    "always hidden": {"mixed": False},
}


def word_counts(corpus: Corpus) -> WordCounts:
    """What stood beside what in the text that is trained on."""
    return WordCounts(encode(corpus.tokenizer, corpus.train), corpus.tokenizer.get_vocab_size(), SPECIAL)


def counted(corpus: Corpus, examples: Examples) -> dict[str, float]:
    """What needs no model: hidden words by `WordCounts`, pairs by the "majority" and the "overlap" of words."""
    train = corpus.pairs(corpus.train, 1, small.TEST_HIDDEN, seed=54321)
    return word_counts(corpus).share_right(examples) | {
        "majority": majority(train, examples),
        "overlap": OverlapRule(train, SPECIAL).share_right(examples),
    }


@recipe("bert_text", takes_data=True)
def record(data: Path | None, say: Say) -> dict:
    """Trains every model with every seed.

    Args:
        data: a text to take in place of the reference (see `vitcourse.data.text.read_documents`).
    """
    corpus = small.read_corpus(data)
    examples, found = corpus.test_pairs(), []
    for seed in SEEDS:
        training = replace(small.TRAINING, seed=seed)
        tasks = tuning.tasks(corpus, seed)
        fresh = small.build(seed, corpus.tokenizer.get_vocab_size())
        one = {"seed": seed, "right": {}, "tuned": {"fresh": tuning.tuned(fresh, tasks, seed)}}
        for way, options in WAYS.items():
            model = small.pretrain(corpus, training=training, **options)
            one["right"][way] = small.judge(model, examples)
            say(f"seed {seed}, {way}: " + ", ".join(f"{name} {share:.1%}" for name, share in one["right"][way].items()))
            if way == "both ways":
                one["tuned"]["pre-trained"] = tuning.tuned(model, tasks, seed)
                one["looks"] = [[round(weight, 3) for weight in head] for head in small.looks(model, examples)]
        one["tuned"]["counting"] = {"wrong words": tuning.rarest_place(word_counts(corpus), tasks["wrong words"][1])}
        say(f"seed {seed}, fine-tuned: {one['tuned']}")
        found.append(one)
    training = replace(small.TRAINING, seed=SEEDS[0])
    longer = small.pretrain(corpus, training=training, rounds=LONGER * small.ROUNDS)
    return {
        "text": {"train": len(corpus.train), "held_out": len(corpus.held_out), "test_pairs": len(examples["tokens"])},
        "model": asdict(small.MODEL),
        "training": asdict(small.TRAINING) | {"rounds": small.ROUNDS},
        "counted": counted(corpus, examples),
        "seeds": found,
        "longer": {"rounds": LONGER * small.ROUNDS, "right": small.judge(longer, examples)},
    }
