"""A gathered sweep as a file for other programs: CSV, NumPy's ``.npz``, netCDF."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from simulate.sweeps.csv_export import export_csv
from simulate.sweeps.netcdf_export import export_netcdf
from simulate.sweeps.npz_export import export_npz
from simulate.sweeps.sweep_table import SweepTable

EXPORTS: Mapping[str, Callable[[SweepTable, str | Path], list[Path]]] = {
    "csv": export_csv,
    "npz": export_npz,
    "netcdf": export_netcdf,
}
"""By name: a function of the result and of the file's path that gives the paths of all files that it has written."""
SUFFIXES = {"csv": ".csv", "npz": ".npz", "netcdf": ".nc"}
"""What the names of such files end with."""
