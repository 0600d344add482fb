"""One thread of linear algebra for each worker: as many workers as cores leave no core for more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Hold this process to one thread of BLAS and OpenMP; afterwards it has as many as before.

    The libraries count threads for the whole process, so that one who leaves while another is still inside would lift
    the limit of both: only the driver uses this, once around the whole sweep, on behalf of its threads.

    Examples
    --------
    >>> with one_blas_thread():
    ...     largest = max(library["num_threads"] for library in threads_of_libraries())
    >>> largest
    1
    """
    from threadpoolctl import threadpool_limits

    _load_libraries()
    with threadpool_limits(1):
        yield


def stay_at_one_blas_thread() -> None:
    """Hold this process, a worker's, to one thread of BLAS and OpenMP from now on."""
    from threadpoolctl import threadpool_limits

    _load_libraries()
    threadpool_limits(1)


def threads_of_libraries() -> list[dict[str, int | str]]:
    """Name and ``num_threads`` of each library of BLAS and OpenMP that this process has loaded."""
    from threadpoolctl import threadpool_info

    _load_libraries()
    return [{"name": library["prefix"], "num_threads": library["num_threads"]} for library in threadpool_info()]


def _load_libraries() -> None:
    # What is loaded after the limit was set would not know of it; SciPy brings a library of its own.
    import numpy  # noqa: F401
    import scipy.linalg  # noqa: F401
