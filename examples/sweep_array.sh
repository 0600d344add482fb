#!/usr/bin/env bash
# A sweep as a job array of Slurm: sbatch examples/sweep_array.sh GRID.toml DIR
#SBATCH --job-name=icl-iwl
#SBATCH --array=1-16
#SBATCH --cpus-per-task=4
#SBATCH --time=02:00:00
#SBATCH --signal=B:TERM@60
set -euo pipefail

# As many as in --array above; a number of its own, so that `sbatch --array=3,7` repeats the shards 3/16 and 7/16.
shards="${SHARDS:-16}"
# exec: the batch system's SIGTERM reaches the sweep, which then ends as after Ctrl-C.
exec python -m simulate sweep "$1" --out "$2" \
    --shard "${SLURM_ARRAY_TASK_ID}/${shards}" --workers "${SLURM_CPUS_PER_TASK:-1}"
