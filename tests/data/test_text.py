"""The reader of prose on small texts, the reference on what every version of Python has, WordPiece on both."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from vitcourse.bert import make_pretraining_examples
from vitcourse.checks.bert.wordpiece import greedy
from vitcourse.data.text import (
    LONGEST,
    NAMES,
    SPECIAL,
    encode,
    hold_out,
    read_documents,
    split_sentences,
    train_wordpiece,
)
from vitcourse.errors import DataError

CHAPTER = """CHAPTER {n}

The cat number {n} sat on the warm mat all day. It did not move until the evening came.

'Where are you going, cat?' said Mr. Smith to number {n}. No answer came to him that day.
"""


@pytest.fixture(scope="module")
def reference():
    return read_documents()


@pytest.fixture
def novel(tmp_path):
    file = tmp_path / "novel.txt"
    file.write_text("\n\n\n".join(CHAPTER.format(n=n) for n in ("one", "two", "three")), encoding="utf-8")
    return file


SENTENCES = {
    "One ends here. Two begins.": ["One ends here.", "Two begins."],
    "Is it? It is! Good.": ["Is it?", "It is!", "Good."],
    "He said 'go away.' Then he left.": ["He said 'go away.'", "Then he left."],
    "Use a list, e.g. A or B, i.e. Letters. Then stop.": ["Use a list, e.g. A or B, i.e. Letters.", "Then stop."],
    "Mr. Smith met Dr. J. Brown. They spoke.": ["Mr. Smith met Dr. J. Brown.", "They spoke."],
    "Version 3.9 is older than 3.10. (See below.) Ready": ["Version 3.9 is older than 3.10.", "(See below.)", "Ready"],
    "Two\n  lines   of one sentence.": ["Two lines of one sentence."],
    "no capital follows. so it goes on": ["no capital follows. so it goes on"],
    "": [],
}


@pytest.mark.parametrize("paragraph", SENTENCES)
def test_sentences_by_hand(paragraph):
    assert split_sentences(paragraph) == SENTENCES[paragraph]


def test_a_document_ends_at_two_empty_lines(novel):
    documents = read_documents(novel)
    assert [document.title for document in documents] == ["novel"] * 3
    assert documents[1].sentences == [
        "The cat number two sat on the warm mat all day.",
        "It did not move until the evening came.",
        "'Where are you going, cat?' said Mr. Smith to number two.",
        "No answer came to him that day.",
    ]


REMOVED = {
    "a heading": "The long title of this new section is here.\n=====\n",
    "code": ">>> Print the answer to all of the questions here.",
    "grammar": "The if_stmt is this ::= if and else, and so on.",
    "a table": "Name | Value of it | What it means to us all here.",
    "no end": "This paragraph of prose has no full stop in the end",
    "no beginning": "this paragraph of prose has a small letter in front.",
    "signs": "A = [1, 2, 3]; B = {4: 5}; C = A + B[4] (6).",
    "a caption": "Figure of a cat here.",
}


@pytest.mark.parametrize("kind", REMOVED)
def test_what_is_no_prose_is_left_out(novel, kind):
    clean = read_documents(novel)
    text = novel.read_text(encoding="utf-8")
    novel.write_text(f"{REMOVED[kind]}\n\n{text}", encoding="utf-8")
    assert read_documents(novel) == clean


def test_a_paragraph_that_stood_before_is_left_out(novel):
    clean = read_documents(novel)
    text = novel.read_text(encoding="utf-8")
    novel.write_text(text + "\n\n\n" + CHAPTER.format(n="two"), encoding="utf-8")
    assert read_documents(novel) == clean


def test_a_long_document_is_cut(tmp_path):
    file = tmp_path / "long.txt"
    sentences = [f"Sentence number {n} of the long text is here." for n in range(2 * LONGEST + 1)]
    file.write_text("\n\n".join(sentences), encoding="utf-8")
    assert [document.sentences for document in read_documents(file)] == [sentences[:LONGEST], sentences[LONGEST:-1]]


def test_gutenbergs_own_words_are_left_out(novel):
    clean = read_documents(novel)
    text = novel.read_text(encoding="utf-8")
    frame = "This eBook is for the use of anyone anywhere. It comes at no cost at all."
    start, end = (f"*** {word} OF THIS PROJECT GUTENBERG EBOOK A NOVEL ***" for word in ("START", "END"))
    novel.write_text(f"{frame}\n\n\n{start}\n{text}\n{end}\n\n\n{frame} Really.", encoding="utf-8")
    assert read_documents(novel) == clean


def test_a_folder_is_all_its_texts(novel):
    (novel.parent / "a second.txt").write_text(CHAPTER.format(n="four") * 2, encoding="utf-8")
    assert [document.title for document in read_documents(novel.parent)] == ["a second", "novel", "novel", "novel"]


FAULTS = {
    "missing": (lambda folder: folder / "nothing.txt", "nothing.txt: cannot be read"),
    "no text in a folder": (lambda folder: folder, "no .txt file"),
    "not UTF-8": (
        lambda folder: written(folder / "bad.txt", b"A caf\xe9 is here."),
        r"bad.txt: is not UTF-8 \(byte 5\)",
    ),
    "one document": (
        lambda folder: written(folder / "one.txt", CHAPTER.encode()),
        "two documents of two sentences, got 1",
    ),
    "empty": (lambda folder: written(folder / "empty.txt", b""), "two sentences, got 0"),
}


def written(file: Path, content: bytes) -> Path:
    file.write_bytes(content)
    return file


@pytest.mark.parametrize("fault", FAULTS)
def test_a_text_that_cannot_be_used(tmp_path, fault):
    make, message = FAULTS[fault]
    with pytest.raises(DataError, match=message):
        read_documents(make(tmp_path))


def test_the_reference_is_prose_of_many_topics(reference):
    """What holds in every version of Python that the course runs on."""
    titles = [document.title for document in reference]
    assert len(set(titles)) > 30
    assert {"compound", "types", "specialnames", "debugger", "string-methods"} <= set(titles)
    sentences = [sentence for document in reference for sentence in document.sentences]
    assert 20_000 < sum(len(sentence.split()) for sentence in sentences) < 100_000
    assert max(len(document.sentences) for document in reference) <= LONGEST
    assert min(len(document.sentences) for document in reference) >= 2
    assert not any(mark in sentence for sentence in sentences for mark in (">>>", "::=", "***", "\n"))


def test_hold_out_takes_every_eighth_and_loses_none(reference):
    train, held_out = hold_out(reference)
    assert held_out == reference[4::8]
    assert len(train) + len(held_out) == len(reference)
    assert not any(document in train for document in held_out)


def test_wordpiece_knows_its_special_tokens_and_its_text(reference):
    tokenizer = train_wordpiece(reference, 600)
    assert tokenizer.get_vocab_size() == 600
    assert [tokenizer.id_to_token(i) for i in range(5)] == list(NAMES)
    assert [tokenizer.token_to_id(name) for name in ("[PAD]", "[CLS]", "[SEP]", "[MASK]")] == SPECIAL.ids.tolist()
    ids = encode(tokenizer, reference)
    assert [len(sentences) for sentences in ids] == [len(document.sentences) for document in reference]
    assert 1 not in {i for sentences in ids for sentence in sentences for i in sentence}  # no [UNK] in its own text
    assert tokenizer.encode("The CLASS").tokens == ["the", "class"]
    assert tokenizer.encode("☃").tokens == ["[UNK]"]


@pytest.mark.starts_programs
def test_the_same_text_gives_the_same_vocabulary_in_every_process(reference):
    program = (
        "import json; from vitcourse.data.text import *;"
        "print(json.dumps(train_wordpiece(read_documents(), 600).get_vocab()))"
    )
    elsewhere = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert json.loads(elsewhere) == train_wordpiece(reference, 600).get_vocab()


def test_pieces_inside_a_word_are_plain_entries(reference):
    tokenizer = train_wordpiece(reference, 600)
    assert tokenizer.encode("##s").tokens == ["#", "#", "s"]
    assert tokenizer.encode("a [MASK] b").tokens == ["a", "[MASK]", "b"]


def test_a_word_is_cut_longest_match_first(reference):
    """The lesson shows what the library does, and the exercise asks for the rule: they are one."""
    tokenizer = train_wordpiece(reference, 600)
    vocabulary = tokenizer.get_vocab()
    words = {word for d in reference[:20] for s in d.sentences for word in re.findall("[a-z]+", s.lower())}
    assert len(words) > 500
    for word in words:
        assert tokenizer.encode(word).tokens == greedy(word, vocabulary)


def test_a_larger_vocabulary_needs_fewer_tokens(reference):
    small, large = (train_wordpiece(reference, size) for size in (300, 2000))
    sentence = "The interpreter evaluates the expressions."
    assert len(large.encode(sentence)) < len(small.encode(sentence)) < len(sentence)


def test_what_is_encoded_makes_examples(reference):
    documents = reference[:6]
    examples = make_pretraining_examples(
        encode(train_wordpiece(documents, 300), documents), 300, 32, SPECIAL, torch.Generator().manual_seed(0)
    )
    assert len(examples["tokens"]) == sum(len(document.sentences) - 1 for document in documents)
    assert (examples["tokens"][:, 0] == SPECIAL.cls).all()


@pytest.mark.skipif("VITCOURSE_DATA" not in os.environ, reason="VITCOURSE_DATA does not point at the novels")
def test_real_novels():
    folder = Path(os.environ["VITCOURSE_DATA"]) / "text"
    documents = read_documents(folder)
    assert {document.title for document in documents} == {file.stem for file in folder.glob("*.txt")}
    assert not any("Gutenberg" in sentence for document in documents for sentence in document.sentences)
