"""The recorded run ``bert_novels``: lesson 04's BERT on a larger text, where pre-training pays.

A second layer, and more steps. What is recorded: how many hidden words of unseen chapters it fills in as it is trained,
beside what counting reaches on the same text; and what it is worth, for two tasks, to begin from its weights.
"""

from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

from vitcourse.bert import BertForPreTraining
from vitcourse.recipes import Say, recipe
from vitcourse.recipes.bert import small, tuning
from vitcourse.recipes.bert.bert_text import counted, word_counts

MODEL = replace(small.MODEL, depth=2)
TRAINING = replace(small.TRAINING, batch_size=32)
ROUNDS = 24
TUNING = replace(tuning.TUNING, epochs=4)
LABELLED, TUNING_SEEDS = (800, 4000), (0, 1, 2)  # sentences with a wrong word that are learned from
WATCHED = 640  # test pairs by which the training is followed
MOMENTS = (0, 0.02, 0.05, *(tenth / 10 for tenth in range(1, 11)))  # shares of the training


@recipe("bert_novels", needs_data=True)
def record(data: Path, say: Say) -> Iterator[dict]:
    """Pre-trains once, then fine-tunes with every seed.

    Args:
        data: a text, or a folder of them (see `vitcourse.data.text.read_documents`).
    """
    corpus = small.read_corpus(data)
    examples = corpus.test_pairs()
    watched, curve = {name: column[:WATCHED] for name, column in examples.items()}, []
    rows = ROUNDS * len(corpus.pairs(corpus.train, 1, small.HIDDEN, 0)["tokens"])
    steps = -(-rows // TRAINING.batch_size)
    moments = {round(share * steps) for share in MOMENTS}

    def watch(model: BertForPreTraining, step: int) -> None:
        if step in moments:
            curve.append({"step": step, "hidden": round(small.judge(model, watched)["hidden"], 4)})
            say(f"step {step} of {steps}: {curve[-1]['hidden']:.1%} of the hidden words")

    model = small.pretrain(corpus, MODEL, TRAINING, ROUNDS, on_step=watch)
    content = {
        "text": {
            "words": sum(len(sentence.split()) for document in corpus.train for sentence in document.sentences),
            "train": len(corpus.train),
            "held_out": len(corpus.held_out),
            "test_pairs": len(examples["tokens"]),
            "titles": len({document.title for document in corpus.train}),
        },
        "model": asdict(MODEL),
        "training": asdict(TRAINING) | {"rounds": ROUNDS, "steps": steps},
        "tuning": asdict(TUNING),
        "counted": counted(corpus, examples),
        "right": small.judge(model, examples),
        "curve": curve,
        "tuned": [],
    }
    say(f"counted {content['counted']}, the model {content['right']}")
    yield content
    fresh = small.build(TRAINING.seed, corpus.tokenizer.get_vocab_size(), MODEL)
    for seed in TUNING_SEEDS:
        tasks = {str(n): tuning.wrong_words(corpus, n, seed=seed) for n in LABELLED}
        tasks["topics"] = tuning.topics(corpus, seed=seed)
        one = {"seed": seed, "counting": tuning.rarest_place(word_counts(corpus), tasks[str(LABELLED[0])][1])}
        one["largest topic"] = tasks["topics"][1]["label"].bincount().max().item() / len(tasks["topics"][1]["label"])
        for name, start in (("pre-trained", model), ("fresh", fresh)):
            one[name] = tuning.tuned(start, tasks, seed, TUNING)
        content["tuned"].append(one)
        say(f"fine-tuned: {one}")
        yield content
