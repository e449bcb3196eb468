"""The recorded run ``bert_text``: the small BERT of lesson 04 over several seeds, and what mere counting gets right.

What is recorded: how many hidden words of unseen documents it fills in, trained both ways, left to right alone, and
without the swapped and kept words, and once for three times as long; where its heads look; how well it tells whether B
follows A; and two tasks that it is fine-tuned for, from the pre-trained weights and from fresh ones.
"""

import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

from vitcourse import results
from vitcourse.data.text import SPECIAL, encode
from vitcourse.recipes import bert_small, bert_tuning
from vitcourse.recipes.bert_small import Corpus, Examples
from vitcourse.recipes.word_counts import OverlapRule, WordCounts, majority

SEEDS = (0, 1, 2)
LONGER = 3  # times as many rounds, for the first seed
WAYS = {
    "both ways": {},
    "left to right": {"config": replace(bert_small.MODEL, is_causal=True)},
    "always hidden": {"mixed": False},
}


def word_counts(corpus: Corpus) -> WordCounts:
    """What stood beside what in the text that is trained on."""
    return WordCounts(encode(corpus.tokenizer, corpus.train), corpus.tokenizer.get_vocab_size(), SPECIAL)


def counted(corpus: Corpus, examples: Examples) -> dict[str, float]:
    """What needs no model: hidden words by `WordCounts`, pairs by the "majority" and the "overlap" of words."""
    train = corpus.pairs(corpus.train, 1, bert_small.TEST_HIDDEN, seed=54321)
    return word_counts(corpus).share_right(examples) | {
        "majority": majority(train, examples),
        "overlap": OverlapRule(train, SPECIAL).share_right(examples),
    }


def record(data: str | Path | None = None, say: Callable[[str], None] = print) -> Path:
    """Trains every model with every seed and writes ``bert_text.json``.

    Args:
        data: a text to take in place of the reference (see `vitcourse.data.text.read_documents`).
    """
    started, corpus = time.perf_counter(), bert_small.read_corpus(data)
    examples, found = corpus.test_pairs(), []
    for seed in SEEDS:
        training = replace(bert_small.TRAINING, seed=seed)
        tasks = {
            "topics": bert_tuning.topics(corpus, seed=seed),
            "wrong words": bert_tuning.wrong_words(corpus, seed=seed),
        }
        fresh = bert_small.build(seed, corpus.tokenizer.get_vocab_size())
        one = {"seed": seed, "right": {}, "tuned": {"fresh": bert_tuning.tuned(fresh, tasks, seed)}}
        for way, options in WAYS.items():
            model = bert_small.pretrain(corpus, training=training, **options)
            one["right"][way] = bert_small.judge(model, examples)
            say(f"seed {seed}, {way}: " + ", ".join(f"{name} {share:.1%}" for name, share in one["right"][way].items()))
            if way == "both ways":
                one["tuned"]["pre-trained"] = bert_tuning.tuned(model, tasks, seed)
                one["looks"] = [[round(weight, 3) for weight in head] for head in bert_small.looks(model, examples)]
        one["tuned"]["counting"] = {
            "wrong words": bert_tuning.rarest_place(word_counts(corpus), tasks["wrong words"][1])
        }
        say(f"seed {seed}, fine-tuned: {one['tuned']}")
        found.append(one)
    training = replace(bert_small.TRAINING, seed=SEEDS[0])
    longer = bert_small.pretrain(corpus, training=training, rounds=LONGER * bert_small.ROUNDS)
    content = {
        "text": {"train": len(corpus.train), "held_out": len(corpus.held_out), "test_pairs": len(examples["tokens"])},
        "model": asdict(bert_small.MODEL),
        "training": asdict(bert_small.TRAINING) | {"rounds": bert_small.ROUNDS},
        "counted": counted(corpus, examples),
        "seeds": found,
        "longer": {"rounds": LONGER * bert_small.ROUNDS, "right": bert_small.judge(longer, examples)},
    }
    return results.write("bert_text", content, time.perf_counter() - started)
