"""The one style of all figures: colours that survive colour blindness and grey print, and files without dates."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from theory.command import write_atomically

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FIELD = "YlGnBu"
"""Colour map of the gate: light is in context (0), dark in weights (1); monotone in lightness."""
SIMULATED = "#d1495b"
PREDICTED = "#111111"
HALO = "#ffffff"
PART_COLOURS = {"in_weight": "#2c4a8a", "in_context": "#d08a1d", "gated": "#111111"}
"""g, h and f: dark blue, amber and black differ in lightness too."""
ONE_COLUMN, TWO_COLUMNS = 3.4, 7.0
"""Widths of a journal's columns, in inches."""
DOTS_PER_INCH = 200


@contextmanager
def style() -> Iterator[None]:
    """Matplotlib with the style sheet of this package, and only within the block."""
    import matplotlib

    with (
        resources.as_file(resources.files("figures") / "icl.mplstyle") as sheet,
        matplotlib.rc_context(fname=str(sheet)),
    ):
        yield


def save_figure(figure: Figure, stem: Path) -> list[Path]:
    """Write a figure as PNG, PDF and SVG, the same bytes for the same figure; each file is whole, or not there.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        What to write.
    stem : Path
        Path without suffix, in an existing folder.
    """
    metadata: dict[str, dict[str, str | None]] = {
        ".png": {"Software": None},
        ".pdf": {"CreationDate": None, "Creator": None, "Producer": None},
        ".svg": {"Date": None, "Creator": None},
    }
    written = []
    for suffix, data in metadata.items():
        path = stem.with_suffix(suffix)

        def write(temporary: Path, data: dict[str, str | None] = data) -> None:
            # In the style again, which says how the names of an SVG's parts are made.
            with style():
                figure.savefig(temporary, metadata=data, dpi=DOTS_PER_INCH)

        write_atomically(path, write)
        written.append(path)
    return written
