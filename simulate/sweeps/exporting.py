"""A gathered sweep as a file for other programs: CSV, NumPy's ``.npz``, netCDF."""

from __future__ import annotations

from simulate.sweeps.csv_export import export_csv
from simulate.sweeps.netcdf_export import export_netcdf
from simulate.sweeps.npz_export import export_npz

__all__ = ["export_csv", "export_netcdf", "export_npz"]
