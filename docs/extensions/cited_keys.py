"""Sphinx extension: keys of the bibliography in backticks, as docstrings and pages cite them, become links."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

KEY = re.compile(r"^@\w+\{(\w+),", re.MULTILINE)


def cited(text: str, keys: set[str], role: str) -> str:
    """The text with every key in single or double backticks turned into a citation, by a role of the markup."""

    def citation(found: re.Match[str]) -> str:
        return f"{role}`{found[2]}`" if found[2] in keys else found[0]

    return re.sub(r"(?<!`)(`{1,2})(\w+)\1(?!`)", citation, text)


def setup(app: Any) -> dict[str, bool]:
    """Connect to Sphinx."""
    keys = set(KEY.findall((Path(app.srcdir) / "references.bib").read_text(encoding="utf-8")))

    def page(_: Any, name: str, content: list[str]) -> None:
        content[0] = cited(content[0], keys, "{cite:t}")

    def docstring(*arguments: Any) -> None:
        lines = arguments[-1]
        lines[:] = cited("\n".join(lines), keys, ":cite:t:").split("\n")

    app.connect("source-read", page)
    app.connect("autodoc-process-docstring", docstring)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
