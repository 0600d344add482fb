"""Opening the explorer on a screen, or saying why there is none."""

from __future__ import annotations

from figures.explore.window import SIZE, Explorer, explorer_on
from figures.style import style
from theory.errors import SettingError
from theory.setting import AnyTask, GatedPredictor


def open_explorer(task: AnyTask, model: GatedPredictor) -> Explorer:
    """Show the explorer in a window, and return once it is closed.

    Parameters
    ----------
    task, model : TaskDistribution, GatedPredictor
        Where the sliders start; as for :func:`figures.explore.window.explorer_on`.

    Raises
    ------
    SettingError
        There is no display, or Matplotlib has no window system to show windows with; or the setting is another one.
    """
    import matplotlib
    from matplotlib import pyplot

    try:
        with style():
            figure = pyplot.figure(num="icl-iwl explorer", figsize=SIZE)
    except ImportError as error:
        raise _no_display(str(error)) from error
    try:
        if not figure.canvas.required_interactive_framework:
            raise _no_display(matplotlib.get_backend())
        explorer = explorer_on(figure, task, model)
        pyplot.show(block=True)
    finally:
        pyplot.close(figure)
    return explorer


def _no_display(found: str) -> SettingError:
    allowed = (
        "one that opens windows: no display was found, or no window system (tkinter, PyQt, PySide) is installed; "
        "figures report writes a page instead"
    )
    return SettingError("Matplotlib's backend", found, allowed)
