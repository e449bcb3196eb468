"""English prose as documents of sentences, and a WordPiece vocabulary trained on them.

Without a file it is the prose of the Python reference, which every Python brings as ``pydoc_data.topics``; it differs a
little from version to version. Any plain text serves in its place: a novel, or a folder of them.

Sources: Schuster and Nakajima, "Japanese and Korean Voice Search" (2012), https://doi.org/10.1109/ICASSP.2012.6289079
(WordPiece); Devlin et al. 2018, https://arxiv.org/abs/1810.04805, section 3 (its use in BERT). The trainer is that of
the library tokenizers, which transformers is built on.
"""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

from vitcourse.data.pretraining import SpecialTokens
from vitcourse.errors import DataError

# The ids of our own vocabularies: [UNK] stands for a character that the training text did not have.
NAMES = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
SPECIAL = SpecialTokens(pad=0, cls=2, sep=3, mask=4)

LONGEST = 40  # sentences of one document; a longer one is cut, so that a text without chapters has several
SHORTEST_PARAGRAPH, SHORTEST_SENTENCE = 6, 4  # words; below are headings, captions and signatures

GAP = re.compile(r"\n(?:[^\S\n]*\n){2,}")  # two empty lines or more: a new section or chapter
EMPTY_LINE = re.compile(r"\n[^\S\n]*\n")
NO_PROSE = re.compile(r">>>|::=|\||([-=*_~^])\1\1")  # code, grammar, tables, a heading and the line under it
WORD = re.compile(r"[\"'“‘(\[]*[A-Za-z][A-Za-z'’-]*[\"'”’)\].,;:!?]*")
BEGINS = re.compile(r"[\"'“‘(\[]*[A-Z]")
ENDS = re.compile(r"[.!?:][\"'”’)\]]*$")
BOUNDARY = re.compile(r"[.!?][\"'”’)\]]*\s+(?=[\"'“‘(\[]*[A-Z])")
ABBREVIATION = re.compile(r"\b(?:e\.g|i\.e|etc|vs|cf|Mr|Mrs|Ms|Dr|St|[A-Z])\.\s*$")
# Project Gutenberg's own words stand before the first of these lines and after the second.
GUTENBERG = re.compile(r"\*\*\* ?START OF TH[^\n]*\n(.*)\n[^\n]*\*\*\* ?END OF TH", re.DOTALL)


class Document(NamedTuple):
    """Sentences in the order in which they were written."""

    title: str  # a topic of the reference, or the name of a file
    sentences: list[str]


def read_documents(source: str | Path | None = None) -> list[Document]:
    """The prose of a text, section by section: without headings, code, tables, and paragraphs that stood before.

    Args:
        source: a ``.txt`` file in UTF-8, a folder of such files, or None for the reference of this Python. A paragraph
            ends at an empty line, a document at two or more, or after `LONGEST` sentences.

    Raises:
        DataError: there is no such file, it is not UTF-8, or it holds fewer than two documents of two sentences.
    """
    texts = _topics() if source is None else _files(Path(source))
    seen: set[str] = set()  # the reference says some things under several topics; a test must not have been trained on
    documents = []
    for title, text in texts:
        for section in GAP.split(text):
            sentences = [one for paragraph in _paragraphs(section, seen) for one in split_sentences(paragraph)]
            sentences = [one for one in sentences if len(one.split()) >= SHORTEST_SENTENCE]
            pieces = [sentences[i : i + LONGEST] for i in range(0, len(sentences), LONGEST)]
            documents += [Document(title, piece) for piece in pieces if len(piece) > 1]
    if len(documents) < 2:
        raise DataError(f"it must hold at least two documents of two sentences, got {len(documents)}", source)
    return documents


def split_sentences(paragraph: str) -> list[str]:
    """A paragraph as sentences: cut after . ! or ? and closing quotes where a capital follows, not after "e.g."."""
    paragraph = " ".join(paragraph.split())
    sentences, start = [], 0
    for found in BOUNDARY.finditer(paragraph):
        if not ABBREVIATION.search(paragraph[start : found.end()]):
            sentences.append(paragraph[start : found.end()].strip())
            start = found.end()
    return [*sentences, paragraph[start:]] if paragraph[start:] else sentences


def hold_out(documents: Sequence[Document], every: int = 8) -> tuple[list[Document], list[Document]]:
    """Documents to train on, and every ``every``-th one to test on."""
    train = [document for i, document in enumerate(documents) if i % every != every // 2]
    return train, list(documents[every // 2 :: every])


def train_wordpiece(documents: Iterable[Document], vocab_size: int = 1000) -> Tokenizer:
    """A WordPiece vocabulary with BERT's normaliser (small letters, no accents) and BERT's cut at punctuation.

    The same text gives the same vocabulary, id by id.

    Args:
        vocab_size: entries, those of `NAMES` and all single characters of the text included.
    """
    sentences = [one for document in documents for one in document.sentences]
    scratch = _tokenizer(models.WordPiece(unk_token=NAMES[1]))
    # The trainer numbers "##a", "##b" … as it meets them in a table of random order, and settles ties by number. Named
    # ahead, as special tokens, they have fixed numbers. The tokenizer that is kept knows them as plain entries.
    lines = (scratch.normalizer.normalize_str(one) for one in sentences)
    words = (word for line in lines for word, _ in scratch.pre_tokenizer.pre_tokenize_str(line))
    letters = sorted({letter for word in words for letter in word[1:]})
    special_tokens = [*NAMES, *(f"##{letter}" for letter in letters)]
    trainer = trainers.WordPieceTrainer(vocab_size=vocab_size, special_tokens=special_tokens, show_progress=False)
    scratch.train_from_iterator(sentences, trainer)
    tokenizer = _tokenizer(models.WordPiece(scratch.get_vocab(), unk_token=NAMES[1]))
    tokenizer.add_special_tokens(list(NAMES))
    return tokenizer


def _tokenizer(model: models.WordPiece) -> Tokenizer:
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return tokenizer


def encode(tokenizer: Tokenizer, documents: Iterable[Document]) -> list[list[list[int]]]:
    """Documents as lists of sentences of ids, without special tokens: what `make_pretraining_examples` takes."""
    return [
        [entry.ids for entry in tokenizer.encode_batch(document.sentences, add_special_tokens=False)]
        for document in documents
    ]


def _topics() -> list[tuple[str, str]]:
    """The reference by topic, the longest first: what stands in several topics stays where the most is around it."""
    from pydoc_data.topics import topics

    # Quotes and asterisks are this edition's marks for code and emphasis, no part of what is said.
    plain = {name: re.sub(r"\*([^*\n]+)\*|\"([^\"\n]*)\"", r"\1\2", text) for name, text in topics.items()}
    return sorted(plain.items(), key=lambda topic: (-len(topic[1]), topic[0]))


def _files(source: Path) -> list[tuple[str, str]]:
    files = sorted(source.glob("*.txt")) if source.is_dir() else [source]
    if not files:
        raise DataError("there is no .txt file in this folder", source)
    texts = []
    for file in files:
        try:
            text = file.read_text(encoding="utf-8-sig")
        except OSError as error:
            raise DataError(f"cannot be read ({error.strerror})", file) from error
        except UnicodeDecodeError as error:
            raise DataError(f"is not UTF-8 (byte {error.start})", file) from error
        found = GUTENBERG.search(text)
        texts.append((file.stem, found[1] if found else text))
    return texts


def _paragraphs(section: str, seen: set[str]) -> list[str]:
    """The paragraphs of prose that were not seen before, on one line each."""
    paragraphs = []
    for block in EMPTY_LINE.split(section):
        paragraph = " ".join(block.split())
        if _is_prose(paragraph) and paragraph not in seen:
            seen.add(paragraph)
            paragraphs.append(paragraph)
    return paragraphs


def _is_prose(paragraph: str) -> bool:
    words = paragraph.split()
    if len(words) < SHORTEST_PARAGRAPH or NO_PROSE.search(paragraph):
        return False
    if not BEGINS.match(paragraph) or not ENDS.search(paragraph):
        return False
    return sum(bool(WORD.fullmatch(word)) for word in words) >= 0.7 * len(words)
