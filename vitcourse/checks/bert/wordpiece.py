"""``bert.wordpiece(word, vocabulary)``: the pieces of a word, the longest first, from front to back.

Source: Schuster and Nakajima, "Japanese and Korean Voice Search" (2012); the greedy cut is that of BERT's tokenizer
(Devlin et al. 2018), https://arxiv.org/abs/1810.04805, section 3.
"""

from collections.abc import Mapping, Sequence

from vitcourse.checks.bert.common import letters
from vitcourse.checks.engine.check import Check
from vitcourse.checks.engine.probe import Probe, Wrong, describe

UNKNOWN = ["[UNK]"]
wordpiece = Check("bert.wordpiece")


def greedy(word: str, vocabulary: Sequence[str]) -> list[str]:
    """The right answer."""
    pieces, start = [], 0
    while start < len(word):
        mark = "##" if start else ""
        ends = [end for end in range(len(word), start, -1) if mark + word[start:end] in vocabulary]
        if not ends:
            return UNKNOWN
        pieces.append(mark + word[start : ends[0]])
        start = ends[0]
    return pieces


def _judge(probe: Probe, word: str, vocabulary: list[str], suspects: Mapping[str, list[list[str]]]) -> None:
    """Compares the learner's pieces with the right ones, then with what the mistakes give; "" stands for any other."""
    found = probe.call(word, vocabulary)
    if not isinstance(found, list | tuple) or not all(isinstance(piece, str) for piece in found):
        raise Wrong("wrong-type", f"Expected a list of texts, got {describe(found)}.")
    found, right = list(found), greedy(word, vocabulary)
    if found == right:
        return
    detail = f"`{word}` became {found} and should be {right}; the vocabulary was {vocabulary}."
    for misconception, answers in suspects.items():
        probe.require(found not in answers, misconception, detail)
    raise Wrong("wrong-values", detail)


def _singles(word: str) -> list[str]:
    """Every character as a piece, at the front and inside."""
    return [*word, *(f"##{letter}" for letter in word)]


def _one_by_one(word: str) -> list[str]:
    return [word[0], *(f"##{letter}" for letter in word[1:])]


@wordpiece.property("a word of the vocabulary is one piece")
def _whole(probe: Probe) -> None:
    word = letters(probe, probe.integer(5, 7))
    cut = probe.integer(3, 4)
    vocabulary = [word[:2], *_singles(word), word[:cut], word, f"##{word[cut:]}"]
    suspects = {
        "first-that-fits": [[word[:2], *_one_by_one(word)[2:]]],
        "shortest-first": [_one_by_one(word), list(word)],
        "splits-known-words": [[word[:cut], f"##{word[cut:]}"], [word[:-1], f"##{word[-1]}"]],
    }
    _judge(probe, word, vocabulary, suspects)


@wordpiece.property("the longest piece from the front; what is inside a word carries ##")
def _longest(probe: Probe) -> None:
    word = letters(probe, 8)
    front, back = word[:5], word[5:]
    vocabulary = [*_singles(word), front, f"##{back}", word[:2], f"##{word[2:4]}", f"##{word[4:]}", back[:2]]
    split_back = [[back[:2], back[2]], list(back)]
    suspects = {
        "shortest-first": [_one_by_one(word)],
        "from-the-end": [[word[:2], f"##{word[2:4]}", f"##{word[4:]}"]],
        "marks-dropped": [[front, back]],
        "unmarked-lookup": [
            *([front, *pieces] for pieces in split_back),
            *([front, *(f"##{piece}" for piece in pieces)] for pieces in split_back),
        ],
    }
    _judge(probe, word, vocabulary, suspects)


@wordpiece.property("no look ahead: the longest piece now, whatever it costs later")
def _no_look_ahead(probe: Probe) -> None:
    word = letters(probe, 8)
    vocabulary = [*_singles(word), word[:2], word[:3], f"##{word[2:]}", f"##{word[3:5]}", f"##{word[5:]}"]
    _judge(probe, word, vocabulary, {"fewest-pieces": [[word[:2], f"##{word[2:]}"]]})


@wordpiece.property("a word with a part that fits nothing is one [UNK]")
def _unknown(probe: Probe) -> None:
    text = letters(probe, 8)
    known, strange = text[:7], text[7]
    word = known[:3] + strange + known[3:]
    vocabulary = [known[:3], f"##{known[3:]}", *_singles(known), *UNKNOWN]
    rest = [[], [f"##{known[3:]}"], [known[3:]], *([UNKNOWN[0]] * count for count in (1, 4)), _one_by_one(known)[3:]]
    suspects = {
        "unknown-piece": [[known[:3], *mark, *more] for mark in (UNKNOWN, ["##[UNK]"]) for more in rest],
        "ends-early": [[], [known[:3]], [known[:3], f"##{known[3:]}"]],
        "letters-made-up": [[known[:3], mark + strange, f"##{known[3:]}"] for mark in ("##", "")],
    }
    _judge(probe, word, vocabulary, suspects)


@wordpiece.property("what was taken is kept, even where it leads nowhere")
def _dead_end(probe: Probe) -> None:
    word = letters(probe, 6)
    vocabulary = [word[:2], word[:4], f"##{word[2:]}", *UNKNOWN]
    suspects = {"backtracks": [[word[:2], f"##{word[2:]}"]], "ends-early": [[], [word[:4]]]}
    suspects["letters-made-up"] = [[word[:4], *rest] for rest in (_one_by_one(word)[4:], word[4:], [f"##{word[4:]}"])]
    _judge(probe, word, vocabulary, suspects)


@wordpiece.property("the first piece stands without ##, and only there")
def _first_piece(probe: Probe) -> None:
    word = letters(probe, 6)
    for vocabulary in ([f"##{word[:3]}", f"##{word[3:]}", *UNKNOWN], [word[:3], word[3:], *UNKNOWN]):
        forms = [[a + word[:3], b + word[3:]] for a in ("", "##") for b in ("", "##")]
        _judge(probe, word, vocabulary, {"either-form": forms, "ends-early": [[], [word[:3]]]})


@wordpiece.property("one letter can be a piece, where nothing longer fits")
def _one_letter(probe: Probe) -> None:
    word = letters(probe, 6)
    for parts in ([word[:5], f"##{word[5]}"], [word[0], f"##{word[1:]}"], [word[:3], f"##{word[3]}", f"##{word[4:]}"]):
        _judge(probe, word, [*parts, *UNKNOWN], {"no-single-letters": [UNKNOWN, parts[:1]]})
