"""A course system's own sheet (CSV), in which cells are filled: all else stays, byte for byte."""

import codecs
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from exports.lines import ExportError

DELIMITERS = ",;\t"

_ENCODINGS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",  # what spreadsheets call Unicode text
    codecs.BOM_UTF16_BE: "utf-16-be",
    b"": "utf-8",
}


@dataclass
class Row:
    """A row. `cells` are as they stand in the file, quotes and all; `line` is where it begins."""

    line: int
    cells: list[str]
    end: str
    delimiter: str

    def __getitem__(self, column: int) -> str:
        """Return what a cell says, without blanks around it; "" if the row is too short."""
        cell = self.cells[column] if column < len(self.cells) else ""
        if cell.startswith('"'):
            cell = cell[1:-1].replace('""', '"')
        return cell.strip()

    def fill(self, column: int, text: str) -> None:
        """Fill a cell, in quotes if it was in quotes or must be."""
        self.cells += [""] * (column + 1 - len(self.cells))
        quoted = self.cells[column].startswith('"') or set(text) & set(f'"\r\n{self.delimiter}')
        escaped = text.replace('"', '""')
        self.cells[column] = f'"{escaped}"' if quoted else text


class Sheet:
    """A sheet: a row of titles, and `rows`."""

    def __init__(self, file: Path) -> None:
        """Read UTF-8 or UTF-16, with comma, semicolon or tab. Raises ExportError, OSError."""
        self.name = str(file)
        data = file.read_bytes()
        self._bom = next(bom for bom in _ENCODINGS if data.startswith(bom))
        self._encoding = _ENCODINGS[self._bom]
        try:
            text = data[len(self._bom) :].decode(self._encoding)
        except UnicodeDecodeError:
            text = "\0"
        if "\0" in text:  # UTF-16 without its mark is full of them
            raise ExportError(f"{file}: neither UTF-8 nor UTF-16: save it as CSV in UTF-8")
        rows = list(_rows(text, file))
        if not rows:
            raise ExportError(f"{file}: there is nothing in it")
        self.head, self.rows = rows[0], rows[1:]
        self.titles = [self.head[column] for column in range(len(self.head.cells))]

    def column(self, title: str) -> int:
        """Return the number of the one column with this title. Raises ExportError."""
        same = [column for column, own in enumerate(self.titles) if own == title.strip()]
        if len(same) != 1:
            told = f"{len(same)} columns are" if same else "no column is"
            raise ExportError(f"{self.name}: {told} called {title!r}")
        return same[0]

    def columns(self, titles: Iterable[str]) -> list[int]:
        """Return the numbers of the columns with one of these titles, in whatever case."""
        wanted = {title.casefold() for title in titles}
        return [column for column, own in enumerate(self.titles) if own.casefold() in wanted]

    def data(self) -> bytes:
        """Return the whole file."""
        rows = (self.head, *self.rows)
        text = "".join(row.delimiter.join(row.cells) + row.end for row in rows)
        return self._bom + text.encode(self._encoding)


def _rows(text: str, file: Path) -> Iterator[Row]:
    titles = re.sub(r'"[^"]*"', "", text).partition("\n")[0]
    delimiter = max(DELIMITERS, key=titles.count)
    cell = re.compile(
        rf'(?P<cell>"[^"]*(?:""[^"]*)*"|[^"{delimiter}\r\n][^{delimiter}\r\n]*|)'
        rf"(?P<end>{delimiter}|\r\n|\r|\n|\Z)"
    )
    at, line, cells = 0, 1, []
    begin = line
    while at < len(text):
        match = cell.match(text, at)
        if match is None:
            raise ExportError(f"{file}:{line}: a quote that is not closed, or text after it")
        cells.append(match["cell"])
        line += len(re.findall(r"\r\n|\r|\n", match[0]))
        at = match.end()
        if match["end"] != delimiter:
            yield Row(begin, cells, match["end"], delimiter)
            cells, begin = [], line
    if cells:  # the last row ends with a delimiter
        yield Row(begin, [*cells, ""], "", delimiter)
