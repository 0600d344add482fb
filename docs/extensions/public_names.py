"""Sphinx extension: docstrings name things by where they are defined; the pages show them where they are public.

What is on no page is shown as code, without a link, if there is such a thing; a name of nothing stays a warning.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import resolve_name
from typing import Any

PACKAGES = ("theory", "simulate", "figures")


def candidates(target: str, public: set[str]) -> list[str]:
    """What a reference may mean: its own words, and its last word if that is a public name.

    >>> candidates("simulate.sweeps.grid_axes.grid_axis", {"grid_axis"})
    ['simulate.sweeps.grid_axes.grid_axis', 'grid_axis']
    >>> candidates("theory.setting_file.parts.checked_table", {"grid_axis"})
    ['theory.setting_file.parts.checked_table']
    """
    last = target.rpartition(".")[2]
    return [target, last] if last in public and last != target else [target]


def exists(target: str) -> bool:
    """Whether a dotted name of one of the packages is one of something.

    >>> exists("theory.numerics.special"), exists("theory.numerics.nothing"), exists("os.path")
    (True, False, False)
    """
    if target.partition(".")[0] not in PACKAGES:
        return False
    try:
        resolve_name(target)
    except (ImportError, AttributeError):
        return False
    return True


def setup(app: Any) -> dict[str, bool]:
    """Connect to Sphinx."""
    public = {name for package in PACKAGES for name in import_module(package).__all__}

    def resolve(app: Any, env: Any, node: Any, content: Any) -> Any:
        if node.get("refdomain") != "py":
            return None
        # Names that end in the target, whatever the module that the docstring stands in.
        node["refspecific"] = True
        for target in candidates(node["reftarget"], public):
            domain, place = env.domains["py"], node.get("refdoc", env.docname)
            found = domain.resolve_xref(env, place, app.builder, node["reftype"], target, node, content)
            if found is not None:
                return found
        return content if exists(node["reftarget"]) else None

    app.connect("missing-reference", resolve)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
