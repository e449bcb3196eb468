"""Two tasks to fine-tune the small BERT for, from its pre-trained weights or from fresh ones.

- **topics**: which topic of the reference (or which file) a sentence is from, read off [CLS].
- **wrong words**: one word of a sentence was replaced by a word from elsewhere in the text; which? Every token is given
  a score, as for the ends of an answer in a text.

Shape legend: M sentences, N tokens of one, D width, K topics.

Source: Devlin et al. 2018, https://arxiv.org/abs/1810.04805, section 3.2 and Figure 4.
"""

from collections import Counter
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vitcourse.bert import Bert, BertForPreTraining
from vitcourse.data.text import SPECIAL, Document
from vitcourse.recipes.bert.small import LENGTH, Corpus, Rows
from vitcourse.recipes.bert.word_counts import WordCounts
from vitcourse.training import TrainingConfig, fit

TUNING = TrainingConfig(epochs=6, batch_size=16, lr=1e-3, weight_decay=0.01)
TOPICS, SENTENCES_A_TOPIC = 5, 32
WRONG_SENTENCES = 800
SHORTEST, LONGEST = 6, 20  # words of a sentence in which a wrong one is sought
Task = dict[str, Tensor]  # "tokens" (M, N) and "label" (M)


class TopicHead(nn.Module):
    """A linear layer on the pooled [CLS]: what a pre-trained model gets for a new task."""

    def __init__(self, bert: Bert, num_topics: int = TOPICS):
        super().__init__()
        self.bert = bert
        self.classifier = nn.Linear(bert.config.dim, num_topics)

    def forward(self, tokens: Tensor) -> Tensor:
        """Ids (M, N) to logits of the topics (M, K)."""
        _, pooled = self.bert(tokens, mask=tokens != SPECIAL.pad)
        return self.classifier(pooled)


class WordHead(nn.Module):
    """A linear layer on every token: how much it looks out of place."""

    def __init__(self, bert: Bert):
        super().__init__()
        self.bert = bert
        self.score = nn.Linear(bert.config.dim, 1)

    def forward(self, tokens: Tensor) -> Tensor:
        """Ids (M, N) to scores of the places (M, N), minus infinity where no word stands."""
        x, _ = self.bert(tokens, mask=tokens != SPECIAL.pad)
        return self.score(x)[..., 0].masked_fill(_no_word(tokens), -torch.inf)


def topics(corpus: Corpus, each: int = SENTENCES_A_TOPIC, seed: int = 0) -> tuple[Task, Task]:
    """``each`` sentences of each of the `TOPICS` largest titles to learn from, and all of the documents held out."""
    count = Counter(document.title for document in corpus.train for _ in document.sentences)
    titles = [title for title, _ in count.most_common(TOPICS)]
    generator, train = torch.Generator().manual_seed(seed), []
    for label, title in enumerate(titles):
        sentences = _sentences([document for document in corpus.train if document.title == title])
        chosen = torch.randperm(len(sentences), generator=generator)[:each].tolist()
        train += [(sentences[i], label) for i in chosen]
    test = [(s, titles.index(d.title)) for d in corpus.held_out if d.title in titles for s in d.sentences]
    return tuple(
        {"tokens": rows(corpus, [s for s, _ in part]), "label": torch.tensor([label for _, label in part])}
        for part in (train, test)
    )


def wrong_words(corpus: Corpus, sentences: int = WRONG_SENTENCES, copies: int = 4, seed: int = 0) -> tuple[Task, Task]:
    """Sentences to learn from, and those of the documents held out ``copies`` times, each with one word replaced."""
    generator = torch.Generator().manual_seed(seed)
    train, test = (
        [s for s in _sentences(part) if SHORTEST <= len(s.split()) <= LONGEST]
        for part in (corpus.train, corpus.held_out)
    )
    chosen = torch.randperm(len(train), generator=generator)[:sentences].tolist()
    pool = rows(corpus, _sentences(corpus.train))
    pool = pool[~_no_word(pool)]  # so that a frequent word is a frequent replacement
    given = rows(corpus, [train[i] for i in chosen])
    unseen = rows(corpus, test).repeat(copies, 1)
    return _replaced(given, pool, generator), _replaced(unseen, pool, torch.Generator().manual_seed(7))


def tasks(corpus: Corpus, seed: int = 0) -> dict[str, tuple[Task, Task]]:
    """Both tasks by name, each as what is learned from and what is tested on."""
    return {"topics": topics(corpus, seed=seed), "wrong words": wrong_words(corpus, seed=seed)}


def _replaced(tokens: Tensor, pool: Tensor, generator: torch.Generator) -> Task:
    """One word of each row replaced by another of the pool; the label is its place."""
    tokens, places = tokens.clone(), []
    for row in tokens:
        words = (~_no_word(row)).nonzero()[:, 0]
        place = int(words[torch.randint(len(words), (), generator=generator)])
        word = row[place]
        while word == row[place]:
            word = pool[torch.randint(len(pool), (), generator=generator)]
        row[place] = word
        places.append(place)
    return {"tokens": tokens, "label": torch.tensor(places)}


def rows(corpus: Corpus, sentences: list[str]) -> Tensor:
    """Sentences as rows [CLS] … [SEP], cut and padded to (M, N)."""
    tokens = torch.full((len(sentences), LENGTH), SPECIAL.pad)
    for row, entry in zip(tokens, corpus.tokenizer.encode_batch(sentences, add_special_tokens=False), strict=True):
        ids = [SPECIAL.cls, *entry.ids[: LENGTH - 2], SPECIAL.sep]
        row[: len(ids)] = torch.tensor(ids)
    return tokens


def tune(head: nn.Module, task: Task, training: TrainingConfig = TUNING) -> nn.Module:
    """Trains a head and the BERT below it, all weights, on a task."""

    def loss(model: nn.Module, batch: Task) -> dict[str, Tensor]:
        return {"loss": F.cross_entropy(model(batch["tokens"]), batch["label"])}

    fit(head, Rows(task), loss, training)
    return head.eval()


@torch.no_grad()
def share_right(head: nn.Module, task: Task) -> float:
    """Share of the sentences whose topic, or whose wrong word, is found."""
    device = next(head.parameters()).device
    return (head(task["tokens"].to(device)).argmax(dim=-1).cpu() == task["label"]).float().mean().item()


def tuned(
    model: BertForPreTraining,
    tasks: dict[str, tuple[Task, Task]],
    seed: int = 0,
    training: TrainingConfig | None = None,
) -> dict[str, float]:
    """`share_right` on each task of a copy of the model's BERT, fine-tuned; the model stays as it is.

    Args:
        training: `TUNING`, where nothing else is given; with this seed.
    """
    found = {}
    for name, (train, test) in tasks.items():
        bert = Bert(model.config)
        bert.load_state_dict(model.bert.state_dict())
        torch.manual_seed(seed)
        head = TopicHead(bert) if name == "topics" else WordHead(bert)
        found[name] = share_right(tune(head, train, replace(training or TUNING, seed=seed)), test)
    return found


def rarest_place(counts: WordCounts, task: Task) -> float:
    """Share of the wrong words found by counting: the word that stood least often beside its neighbours."""
    right = 0
    for tokens, label in zip(
        task["tokens"].where(task["tokens"] != SPECIAL.cls, SPECIAL.sep), task["label"], strict=True
    ):
        places = (~_no_word(tokens)).nonzero()[:, 0]
        left, word, after = tokens[places - 1], tokens[places], tokens[places + 1]
        seen = counts.after[left, word] + counts.before[after, word]
        right += int(places[seen.argmin()]) == int(label)
    return right / len(task["label"])


def _no_word(tokens: Tensor) -> Tensor:
    return torch.isin(tokens, SPECIAL.ids)


def _sentences(documents: list[Document]) -> list[str]:
    return [sentence for document in documents for sentence in document.sentences]
