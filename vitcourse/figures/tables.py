"""Tables of results: in the style of the book's own on a page, as a table in a notebook, aligned text in a terminal."""

from collections.abc import Iterable, Sequence
from html import escape

SIGNS = "+-−–±<>"  # what a number may begin with


class Table:
    """What `table` makes; a notebook shows it when it is the last line of a cell, or displayed."""

    def __init__(self, columns: Sequence[str], rows: Sequence[Sequence[str]]):
        self.columns, self.rows = columns, rows
        self.numeric = [bool(rows) and all(_is_number(row[i]) for row in rows) for i in range(len(columns))]
        self.numeric[0] &= not any(letter.isalpha() for row in rows for letter in row[0])  # "3 epochs" is a name

    def _repr_html_(self) -> str:
        def cells(line: Sequence[str], tags: Sequence[str]) -> str:
            made = zip(tags, self.numeric, line, strict=True)
            return "".join(
                f'<{tag} style="text-align: {"right" if numeric else "left"}">{escape(text)}</{tag[:2]}>'
                for tag, numeric, text in made
            )

        names, heads = ['th scope="row"', *["td"] * (len(self.columns) - 1)], ['th scope="col"'] * len(self.columns)
        head = cells(self.columns, heads)
        body = "".join(f"<tr>{cells(row, names)}</tr>" for row in self.rows)
        # The frame scrolls sideways on a narrow screen, also by keyboard.
        return (
            '<div class="pst-scrollable-table-container" style="overflow-x: auto" tabindex="0">'
            f'<table class="table"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
        )

    def __repr__(self) -> str:
        lines = [self.columns, *self.rows]
        widths = [max(len(line[i]) for line in lines) for i in range(len(self.columns))]
        aligned = [str.rjust if numeric else str.ljust for numeric in self.numeric]
        written = ("  ".join(a(c, w) for a, c, w in zip(aligned, line, widths, strict=True)) for line in lines)
        return "\n".join(line.rstrip() for line in written)


def table(columns: Sequence[str], rows: Iterable[Sequence[str | int]]) -> Table:
    """A table of results, whose first column names the rows. Columns of numbers stand to the right.

    Args:
        columns: the head of each column, in words.
        rows: a cell for each column; a whole number gets its thousands apart, all else is text as it shall be read.

    Raises:
        ValueError: a head or the name of a row is empty, or a row has more or fewer cells than there are columns.
        TypeError: a cell is neither text nor a whole number: how many digits of another count, its lesson says.
    """
    written = [[_written(cell) for cell in row] for row in rows]
    for row in written:
        if len(row) != len(columns):
            raise ValueError(f"a row has {len(row)} cells, and the table {len(columns)} columns: {row}")
    if not all(columns) or not all(row[0] for row in written):
        raise ValueError("each column and each row of a table has a name")
    return Table(list(columns), written)


def _written(cell: str | int) -> str:
    if isinstance(cell, bool) or not isinstance(cell, str | int):
        raise TypeError(f"a cell of a table is text or a whole number, got {cell!r}")
    return cell if isinstance(cell, str) else f"{cell:,}"


def _is_number(text: str) -> bool:
    return not text or text.lstrip(SIGNS + " ")[:1].isdigit() or text in SIGNS
