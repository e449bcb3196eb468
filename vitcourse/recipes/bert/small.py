"""A BERT small enough to be pre-trained in half a minute: its text, its start, its training and what it gets right.

Lesson 04 trains it once, the recorded run ``bert_text`` over several seeds.

Source: Devlin et al. 2018, https://arxiv.org/abs/1810.04805, section 3. What differs, for a short training: one layer,
40 % of the words hidden, and a start of its own (see `build`). Words are hidden anew in each round, as in Liu et al.
2019, https://arxiv.org/abs/1907.11692, section 4.1.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.utils.data import Dataset

from vitcourse.bert import IGNORED, BertConfig, BertForPreTraining, make_pretraining_examples
from vitcourse.data.text import SPECIAL, Document, encode, hold_out, read_documents, train_wordpiece
from vitcourse.explain import intermediates
from vitcourse.training import TrainingConfig, fit

VOCABULARY, LENGTH = 1000, 32
MODEL = BertConfig(
    dim=96, num_heads=2, depth=1, mlp_ratio=2.0, vocab_size=VOCABULARY, max_length=LENGTH, dropout=0.0, attn_dropout=0.0
)
TRAINING = TrainingConfig(epochs=1, batch_size=16, lr=3e-3, weight_decay=0.01, clip=0.0)
ROUNDS, TEST_ROUNDS = 30, 5  # how often each pair of sentences is shown, every time with other words hidden
HIDDEN, TEST_HIDDEN = 0.4, 0.15
START = 0.06  # deviation of all weights at the start
WAVE, BASE = 0.15, 100.0  # positions start as sines of this height; from one to the next slower, by up to this factor
Examples = dict[str, Tensor]


class Corpus(NamedTuple):
    """A text, cut into documents that are trained on and documents that are not, with a vocabulary of the former."""

    tokenizer: Tokenizer
    train: list[Document]
    held_out: list[Document]

    def pairs(self, documents: list[Document], rounds: int, share: float, seed: int) -> Examples:
        """``rounds`` times `make_pretraining_examples` of the documents, one below the other."""
        ids, generator = encode(self.tokenizer, documents), torch.Generator().manual_seed(seed)
        size = self.tokenizer.get_vocab_size()
        made = [make_pretraining_examples(ids, size, LENGTH, SPECIAL, generator, share) for _ in range(rounds)]
        return {name: torch.cat([one[name] for one in made]) for name in made[0]}

    def test_pairs(self) -> Examples:
        """Pairs of the documents that were held out, the same for every model."""
        return self.pairs(self.held_out, TEST_ROUNDS, TEST_HIDDEN, seed=12345)


def read_corpus(source: str | Path | None = None) -> Corpus:
    """The reference of this Python, or any text (see `vitcourse.data.text.read_documents`)."""
    train, held_out = hold_out(read_documents(source))
    return Corpus(train_wordpiece(train, VOCABULARY), train, held_out)


class Rows(Dataset):
    """A dict of tensors as a data set of its rows."""

    def __init__(self, columns: dict[str, Tensor]):
        self.columns = columns

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        return {name: column[index] for name, column in self.columns.items()}


def build(seed: int, vocab_size: int = VOCABULARY, config: BertConfig = MODEL) -> BertForPreTraining:
    """A fresh model, with a start for a short training: weights larger than BERT's, positions as sines, and
    queries equal to keys, so that a token first reads those that are like it and near it.
    """
    torch.manual_seed(seed)
    model = BertForPreTraining(replace(config, vocab_size=vocab_size))
    for parameter in model.parameters():
        if parameter.ndim == 2:
            nn.init.normal_(parameter, std=START)
    half = config.dim // 2
    angle = torch.arange(config.max_length)[:, None] * BASE ** (-torch.arange(half) / half)
    with torch.no_grad():
        model.bert.embeddings.position.weight.copy_(WAVE * torch.stack([angle.sin(), angle.cos()], -1).flatten(1))
        for layer in model.bert.encoder.layers:
            query, key, _ = layer.attn.qkv.weight.chunk(3)
            key.copy_(nn.init.normal_(query, std=config.dim**-0.5))
    return model


def pretraining_loss(model: nn.Module, batch: Examples) -> dict[str, Tensor]:
    """The sum of both losses.

    Words are scored where they are asked alone. That saves more than a third
    of the multiplications.
    """
    x, pooled = model.bert(batch["tokens"], batch["segments"], batch["mask"])
    asked = batch["labels"] != IGNORED
    table = model.bert.embeddings.word.weight
    words = F.cross_entropy(model.mlm(x[asked], table), batch["labels"][asked])
    pairs = F.cross_entropy(model.nsp(pooled), batch["next_sentence"])
    return {"loss": words + pairs, "mlm": words, "nsp": pairs}


def always_hidden(examples: Examples) -> Examples:
    """The same examples with [MASK] at every asked place: no word is swapped, none kept."""
    return examples | {"tokens": examples["tokens"].masked_fill(examples["labels"] != IGNORED, SPECIAL.mask)}


def pretrain(
    corpus: Corpus,
    config: BertConfig = MODEL,
    training: TrainingConfig = TRAINING,
    rounds: int = ROUNDS,
    *,
    mixed: bool = True,
    on_step: Callable[[BertForPreTraining, int], None] | None = None,
) -> BertForPreTraining:
    """A model trained from the seed of ``training``, ready to be used.

    Args:
        mixed: hide by 80/10/10; else every chosen word becomes [MASK].
        on_step: called with the model and the number of steps done, before the first step and after each.
    """
    examples = corpus.pairs(corpus.train, rounds, HIDDEN, training.seed)
    model = build(training.seed, corpus.tokenizer.get_vocab_size(), config)
    if on_step is not None:
        on_step(model, 0)
    report = on_step and (lambda done, _total, _loss: on_step(model, done))
    fit(model, Rows(examples if mixed else always_hidden(examples)), pretraining_loss, training, on_step=report)
    return model.eval()


@torch.no_grad()
def judge(model: BertForPreTraining, examples: Examples) -> dict[str, float]:
    """Share of right words where [MASK] ("hidden"), a "swapped" or the "kept" word stands; and of pairs ("nsp")."""
    was_training, device = model.training, model.mlm.bias.device
    model.eval()
    right: dict[str, list[Tensor]] = {"hidden": [], "swapped": [], "kept": [], "nsp": []}
    for start in range(0, len(examples["tokens"]), 256):
        batch = {name: column[start : start + 256].to(device) for name, column in examples.items()}
        output = model(batch["tokens"], batch["segments"], batch["mask"])
        tokens, labels = batch["tokens"], batch["labels"]
        hit, hidden, kept = output.mlm_logits.argmax(-1) == labels, tokens == SPECIAL.mask, tokens == labels
        asked = labels != IGNORED
        for name, places in (("hidden", hidden), ("swapped", ~hidden & ~kept), ("kept", kept)):
            right[name].append(hit[asked & places])
        right["nsp"].append(output.nsp_logits.argmax(-1) == batch["next_sentence"])
    model.train(was_training)
    return {name: torch.cat(hits).float().mean().item() for name, hits in right.items()}


@torch.no_grad()
def looks(model: BertForPreTraining, examples: Examples, reach: int = 4) -> list[list[float]]:
    """Where the heads of the first layer look from a [MASK]: for each head the mean weight at distance -reach to reach.

    Only tokens count; where a row ends before the distance, it is left out of that mean.
    """
    device, name = model.mlm.bias.device, "bert.encoder.layers.0.attn.weights"
    inputs = [examples[part].to(device) for part in ("tokens", "segments", "mask")]
    weights = intermediates(model, [name], *inputs)[1][name]  # (M, H, N, N)
    rows, places = (inputs[0] == SPECIAL.mask).nonzero(as_tuple=True)
    found = []
    for distance in range(-reach, reach + 1):
        there = places + distance
        inside = (there >= 0) & (there < LENGTH)
        inside &= inputs[2][rows, there.clamp(0, LENGTH - 1)]
        found.append(weights[rows[inside], :, places[inside], there[inside]].mean(dim=0))  # (H)
    return torch.stack(found, dim=1).tolist()
