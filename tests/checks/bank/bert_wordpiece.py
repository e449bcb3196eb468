"""Answers to ``bert.wordpiece``: the pieces of a word."""

from tests.checks.bank.entries import Bank

BANK = Bank("bert.wordpiece")
UNKNOWN = ["[UNK]"]


def marked(text, start):
    return f"##{text}" if start else text


@BANK.right
def two_loops(word, vocabulary):
    pieces, start = [], 0
    while start < len(word):
        end = len(word)
        while end > start and marked(word[start:end], start) not in vocabulary:
            end -= 1
        if end == start:
            return ["[UNK]"]
        pieces.append(marked(word[start:end], start))
        start = end
    return pieces


@BANK.right
def by_recursion(word, vocabulary):
    def cut(rest, mark):
        if not rest:
            return []
        fitting = [piece for piece in vocabulary if piece.startswith(mark) and rest.startswith(piece[len(mark) :])]
        fitting = [piece for piece in fitting if len(piece) > len(mark) and piece.startswith("##") == bool(mark)]
        if not fitting:
            return None
        longest = max(fitting, key=len)
        more = cut(rest[len(longest) - len(mark) :], "##")
        return None if more is None else [longest, *more]

    return cut(word, "") or ["[UNK]"]


@BANK.right
def with_for_and_else(word, vocabulary):
    known, pieces, rest = frozenset(vocabulary), [], word
    while rest:
        for length in range(len(rest), 0, -1):
            piece = marked(rest[:length], len(pieces))
            if piece in known:
                pieces.append(piece)
                rest = rest[length:]
                break
        else:
            return UNKNOWN
    return tuple(pieces)


def cut(word, vocabulary, ends=None, look=marked, give=marked, stuck=None):
    """The greedy cut with one part replaced."""
    pieces, start = [], 0
    while start < len(word):
        order = range(len(word), start, -1) if ends is None else ends(start, len(word))
        end = next((end for end in order if look(word[start:end], start) in vocabulary), None)
        if end is None:
            return ["[UNK]"] if stuck is None else stuck(pieces, word, start)
        pieces.append(give(word[start:end], start))
        start = end
    return pieces


def plain(text, start):
    return text


BANK.wrong("shortest-first")(lambda w, v: cut(w, v, ends=lambda start, stop: range(start + 1, stop + 1)))
BANK.wrong("shortest-first")(lambda w, v: [*w])
BANK.wrong("splits-known-words")(
    lambda w, v: cut(w, v, ends=lambda start, stop: range(stop if start else stop - 1, start, -1))
)
BANK.wrong("unmarked-lookup")(lambda w, v: cut(w, v, look=plain))
BANK.wrong("unmarked-lookup")(lambda w, v: cut(w, v, look=plain, give=plain))
BANK.wrong("marks-dropped")(lambda w, v: cut(w, v, give=plain))
BANK.wrong("unknown-piece")(lambda w, v: cut(w, v, stuck=lambda pieces, word, start: [*pieces, "[UNK]"]))
BANK.wrong("ends-early")(lambda w, v: cut(w, v, stuck=lambda pieces, word, start: pieces))
BANK.wrong("ends-early")(lambda w, v: cut(w, v, stuck=lambda pieces, word, start: []))


@BANK.wrong("unknown-piece")
def skips_what_it_does_not_know(word, vocabulary):
    pieces, start = [], 0
    while start < len(word):
        order = range(len(word), start, -1)
        end = next((end for end in order if marked(word[start:end], start) in vocabulary), None)
        pieces.append("[UNK]" if end is None else marked(word[start:end], start))
        start = start + 1 if end is None else end
    return pieces


@BANK.wrong("ends-early")
def leaves_out_what_it_does_not_know(word, vocabulary):
    return [piece for piece in skips_what_it_does_not_know(word, vocabulary) if piece != "[UNK]"]


@BANK.wrong("from-the-end")
def suffix_first(word, vocabulary):
    pieces, stop = [], len(word)
    while stop:
        start = next((start for start in range(stop) if marked(word[start:stop], start) in vocabulary), None)
        if start is None:
            return ["[UNK]"]
        pieces.insert(0, marked(word[start:stop], start))
        stop = start
    return pieces


def splits(word, vocabulary, start=0):
    """Every cut of a word, longest first pieces first."""
    if start == len(word):
        yield []
    for end in range(len(word), start, -1):
        if marked(word[start:end], start) in vocabulary:
            for rest in splits(word, vocabulary, end):
                yield [marked(word[start:end], start), *rest]


BANK.wrong("fewest-pieces")(lambda w, v: min(splits(w, v), key=len, default=UNKNOWN))
BANK.wrong("backtracks")(lambda w, v: next(splits(w, v), UNKNOWN))


@BANK.wrong("either-form")
def takes_any_form(word, vocabulary):
    pieces, rest = [], word
    while rest:
        forms = [form for n in range(len(rest), 0, -1) for form in (marked(rest[:n], len(pieces)), f"##{rest[:n]}")]
        piece = next((form for form in forms if form in vocabulary), None)
        if piece is None:
            return ["[UNK]"]
        pieces.append(piece)
        rest = rest[len(piece.removeprefix("##")) :]
    return pieces


@BANK.wrong("either-form")
def takes_an_unmarked_piece_where_there_is_no_marked_one(word, vocabulary):
    pieces, rest = [], word
    while rest:
        for mark in ("##", "") if pieces else ("",):
            piece = next((mark + rest[:n] for n in range(len(rest), 0, -1) if mark + rest[:n] in vocabulary), None)
            if piece is not None:
                break
        if piece is None:
            return ["[UNK]"]
        pieces.append(piece)
        rest = rest[len(piece.removeprefix("##")) :]
    return pieces


@BANK.wrong("endless-loop")
def never_moves_on(word, vocabulary):
    start = 0
    while start < len(word):
        for end in range(len(word), start, -1):
            if marked(word[start:end], start) in vocabulary:
                start = end
                break
    return two_loops(word, vocabulary)


BANK.wrong("wrong-type")(lambda w, v: " ".join(two_loops(w, v)))
BANK.wrong("wrong-type")(lambda w, v: [v.index(piece) for piece in two_loops(w, v)])
BANK.wrong("wrong-values")(lambda w, v: two_loops(w, v)[::-1] if len(two_loops(w, v)) > 1 else two_loops(w, v))
BANK.wrong("raises")(lambda w, v: [v[v.index(w)]])
BANK.wrong("changes-inputs")(lambda w, v: (v.remove(w) if w in v else None, [w] if len(w) > 0 else UNKNOWN)[1])
BANK.wrong("no-single-letters")(
    lambda w, v: cut(w, v, ends=lambda start, stop: range(stop, start + 1, -1)) if len(w) > 1 else two_loops(w, v)
)


@BANK.wrong("first-that-fits")
def takes_the_first_entry(word, vocabulary):
    pieces, start = [], 0
    while start < len(word):
        marks = (
            (entry, entry[2:] if start else entry) for entry in vocabulary if entry.startswith("##") == (start > 0)
        )
        found = next(((entry, text) for entry, text in marks if text and word.startswith(text, start)), None)
        if found is None:
            return UNKNOWN
        pieces.append(found[0])
        start += len(found[1])
    return pieces


@BANK.wrong("letters-made-up")
def falls_back_to_a_letter(word, vocabulary):
    pieces, start = [], 0
    while start < len(word):
        order = range(len(word), start, -1)
        end = next((end for end in order if marked(word[start:end], start) in vocabulary), start + 1)
        pieces.append(marked(word[start:end], start))
        start = end
    return pieces
