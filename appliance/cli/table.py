"""In: headings and rows. Out: a table that is whole at 80 columns: cells are wrapped, never cut."""

from __future__ import annotations

from collections.abc import Iterable

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

NARROW = 100
"""Below so many columns a table leaves out what it can be read without."""


def table(*headings: str, title: str | None = None, rows: Iterable[Iterable[str]] = ()) -> Table:
    """Cells break at spaces, a long name or path anywhere."""
    made = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        made.add_column(heading, overflow="fold")
    for row in rows:
        made.add_row(*row)
    return made


def is_narrow(console: Console) -> bool:
    return console.width < NARROW
