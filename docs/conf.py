"""How Sphinx builds these pages (``make docs``)."""

from __future__ import annotations

import sys
from importlib.metadata import version as version_of
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "extensions"))

project = "icl-iwl"
author = "The icl-iwl developers"
project_copyright = author
release = version_of("icl-iwl")

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "numpydoc",
    "sphinx.ext.mathjax",
    # MathJax from the built pages themselves, so that they can be read without a network.
    "sphinx-mathjax-offline",
    "sphinxcontrib.bibtex",
    "executed_pages",
    "cited_keys",
    "public_names",
]
exclude_patterns = ["extensions", "pictures"]
nitpicky = True
# There is no network to look up what Python and NumPy define; everything of this project has to resolve.
nitpick_ignore_regex = [
    ("py:.*", r"(?!theory|simulate|figures).*\b(Array|ndarray|NDArray|Path|Mapping|Sequence|Iterator|Callable)\b.*"),
]

myst_enable_extensions = ["dollarmath", "amsmath", "deflist"]
# The generated pages keep GitHub's ways: fences of mathematics, and links to headings by their text.
myst_fence_as_directive = ["math"]
myst_heading_anchors = 3
myst_dmath_double_inline = True

# The docstrings state every type in words, with shapes and units.
autodoc_typehints = "none"
autodoc_member_order = "bysource"
autodoc_class_signature = "separated"
numpydoc_show_class_members = False

bibtex_bibfiles = ["references.bib"]
bibtex_default_style = "unsrt"

suppress_warnings = ["myst.header"]

html_theme = "furo"
html_title = "icl-iwl"
html_static_path = ["static"]
html_css_files = ["pages.css"]
html_copy_source = False
html_show_sphinx = False
