"""Peak memory of long runs (on Linux)."""

from __future__ import annotations

import subprocess
import sys

from benchmarks.measuring import head, row


def memory() -> None:
    """Peak memory of a long run in a fresh interpreter."""
    # Not getrusage: a fresh interpreter inherits the peak of the process that started it.
    code = (
        "import simulate, theory; task, model = theory.load('transient'); simulate.run(task, model, {steps}, 1, 0); "
        "lines = open('/proc/self/status').read().splitlines(); "
        "print(*(int(line.split()[1]) // 1024 for line in lines if line.startswith('VmHWM')))"
    )
    print("\n## Memory\n\nPeak resident memory of the interpreter, one replicate of `transient`.")
    head("steps", "MiB")
    for steps in (10**5, 10**7, 10**8, 10**9):
        command = [sys.executable, "-c", code.format(steps=steps)]
        row(f"{steps:,}", subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip())
