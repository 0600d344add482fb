"""Redrawing only what moves: a whole figure takes longer than a prediction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.figure import Figure


class MovingArtists:
    """Draws some artists over a kept picture of all others.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The figure; whenever it is drawn as a whole, the picture of what does not move is taken anew.
    artists : sequence of matplotlib.artist.Artist
        What moves, in the order in which it is drawn; each is within some axes.
    """

    def __init__(self, figure: Figure, artists: Sequence[Artist]) -> None:
        self._canvas: Any = figure.canvas
        self._figure = figure
        self._artists = tuple(artists)
        self._still: Any = None
        if self._canvas.supports_blit:
            for artist in self._artists:
                artist.set_animated(True)
            self._canvas.mpl_connect("draw_event", self._whole_figure_was_drawn)

    def _whole_figure_was_drawn(self, _: object) -> None:
        if self._canvas.is_saving():
            # A file has everything drawn already.
            return
        self._still = self._canvas.copy_from_bbox(self._figure.bbox)
        self._draw()

    def redraw(self) -> None:
        """Show the artists where they are now."""
        if self._still is None:
            # The window was not drawn yet, or cannot be drawn in part.
            self._canvas.draw_idle()
            return
        self._canvas.restore_region(self._still)
        self._draw()
        self._canvas.blit(self._figure.bbox)

    def _draw(self) -> None:
        for artist in self._artists:
            self._figure.draw_artist(artist)
