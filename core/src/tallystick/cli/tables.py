"""Tables that fit the terminal, and that print rows before the last row is known."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import zip_longest

from rich.console import Console
from rich.text import Text

_GAP = "  "
_INDENT = "  "


class Table:
    """Rows of cells in columns. `lines` takes the rows that were added since its last call.

    The first call of `lines` sets the widths. On a terminal, columns become narrower, and then some are dropped, until
    the row fits. In a pipe, the widths are only minimums, and no cell is cut.
    """

    def __init__(
        self,
        *columns: str,
        narrow: Mapping[str, int] | None = None,
        fold: Collection[str] = (),
        drop: Sequence[str] = (),
        beneath: str | None = None,
        has_header: bool = True,
    ) -> None:
        """Create an empty table.

        Args:
            columns: The titles. A column named `#...` holds numbers.
            narrow: The columns that may become narrower than their cells, each with its minimum.
            fold: The columns whose cells continue on the next line, if they are too long. Others are cut.
            drop: The columns that may be dropped, in this order.
            beneath: A column of `drop`. When it is dropped, its cells move to a line beneath their rows.
        """
        self._titles = [column.lstrip("#") for column in columns]
        self._right = [column.startswith("#") for column in columns]
        self._narrow = narrow or {}
        self._fold = fold
        self._drop = drop
        self._beneath = beneath
        self._has_header = has_header and any(columns)
        self._rows: list[list[Text]] = []
        self._widths: dict[int, int] | None = None

    def add_row(self, *cells: Text | str, style: str = "") -> None:
        """Add a row. A string is markup of Rich."""
        row = [cell if isinstance(cell, Text) else Text.from_markup(cell) for cell in cells]
        for cell in row:
            cell.style = cell.style or style
        self._rows.append(row)

    @property
    def has_rows(self) -> bool:
        """Whether rows were added since the last call of `lines`."""
        return bool(self._rows)

    def lines(self, width: int | None) -> Iterator[Text]:
        """Yield the header, but only in the first call, and the new rows. A width of None cuts nothing."""
        rows, self._rows = self._rows, []
        if self._widths is None:
            self._widths = self._fitted(rows, width)
            if self._has_header:
                yield from self._row(
                    [Text(title, "dim") for title in self._titles], self._widths, width, is_header=True
                )
        for row in rows:
            yield from self._row(row, self._widths, width)

    def _fitted(self, rows: Sequence[Sequence[Text]], width: int | None) -> dict[int, int]:
        """Return the widths of the columns that are shown, by their index."""
        natural = {
            index: max([len(title) if self._has_header else 0, *(row[index].cell_len for row in rows)])
            for index, title in enumerate(self._titles)
        }
        if width is None:
            return natural
        shown = dict(natural)
        for dropped in (None, *self._drop):
            shown = {index: natural[index] for index in shown if self._titles[index] != dropped}
            self._shrink(shown, width)
            if _total(shown) <= width:
                break
        return shown

    def _shrink(self, widths: dict[int, int], width: int) -> None:
        while (excess := _total(widths) - width) > 0:
            able = [index for index in widths if widths[index] > self._narrow.get(self._titles[index], widths[index])]
            if not able:
                return
            widest = max(able, key=widths.__getitem__)
            others = max((widths[index] for index in able if index != widest), default=0)
            least = max(self._narrow[self._titles[widest]], min(others, widths[widest] - 1))
            widths[widest] = max(least, widths[widest] - excess)

    def _row(
        self, row: Sequence[Text], widths: dict[int, int], width: int | None, *, is_header: bool = False
    ) -> Iterator[Text]:
        columns = [self._cell(row[index], index, widths[index], cut=width is not None) for index in widths]
        for cells in zip_longest(*columns, fillvalue=Text()):
            yield _cut(self._line(cells, widths), width)
        beneath = self._titles.index(self._beneath) if self._beneath else None
        if beneath is not None and beneath not in widths and not is_header and row[beneath]:
            yield _cut(Text.assemble(_INDENT, row[beneath]), width)

    def _cell(self, cell: Text, index: int, width: int, *, cut: bool) -> list[Text]:
        """Return the lines of a cell."""
        if not cut or cell.cell_len <= width:
            return [cell]
        if self._titles[index] in self._fold:
            return list(cell.wrap(Console(width=width), width))
        return [_cut(cell, width)]

    def _line(self, cells: Sequence[Text], widths: dict[int, int]) -> Text:
        line = Text()
        for cell, (index, width) in zip(cells, widths.items(), strict=True):
            pad = " " * (width - cell.cell_len)
            line.append_text(Text.assemble(pad, cell) if self._right[index] else Text.assemble(cell, pad)).append(_GAP)
        line.rstrip()
        return line


def _total(widths: Mapping[int, int]) -> int:
    return sum(widths.values()) + len(_GAP) * (len(widths) - 1)


def _cut(text: Text, width: int | None) -> Text:
    """Return a text that is at most as wide as this. An ellipsis marks the end of a text that was cut."""
    if width is None or text.cell_len <= width:
        return text
    cut = text.copy()
    cut.truncate(width, overflow="ellipsis")
    return cut
