"""Sphinx extension: the code on a page is run when the page is built, and what it prints stands below it.

Blocks in the languages ``python`` and ``console`` are run, all others are not. A block that fails ends the build.
:func:`execute` knows nothing of Sphinx, so that the tests run the pages with the same lines.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

PROCESS = Path(__file__).with_name("page_process.py")
BLOCK = re.compile(r"^```(python|console)( hidden)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ALTERNATIVE = re.compile(r"^# alt: .+\n", re.MULTILINE)
LONGEST = 600
"""Seconds that a page may take, on a busy machine."""


class PageError(Exception):
    """A block of a page fails; the message names the page and the line."""


def execute(name: str, text: str, pictures: Path) -> str:
    """Run all blocks of a page.

    Parameters
    ----------
    name : str
        Name of the page, for messages and for the names of its pictures.
    text : str
        The page as MyST Markdown.
    pictures : Path
        Folder for the pictures that blocks show.

    Returns
    -------
    str
        The page with the results below the blocks; blocks that are ``hidden`` leave only their results.

    Raises
    ------
    PageError
        A block failed or took too long.
    """
    blocks = list(BLOCK.finditer(text))
    if not blocks:
        return text
    pictures.mkdir(parents=True, exist_ok=True)
    page = {
        "name": name.replace("/", "-"),
        "pictures": str(pictures.resolve()),
        "blocks": [{"language": block[1], "source": block[3]} for block in blocks],
    }
    results = _run(name, page)
    for block, result in zip(blocks, results, strict=False):
        if "error" in result:
            line = text.count("\n", 0, block.start()) + 1
            raise PageError(f"{name}, line {line}: {result['error']}")
    replies = iter(results)
    return BLOCK.sub(lambda block: _told(block, next(replies), pictures), text)


def _run(name: str, page: dict[str, Any]) -> list[dict[str, str]]:
    # Pages may import what stands beside them, such as pictures/, and run the code beside which they stand.
    docs = PROCESS.parent.parent
    path = os.pathsep.join([str(docs), str(docs.parent)])
    environment = {**os.environ, "PYTHONPATH": path, "MPLBACKEND": "agg", "COLUMNS": "120"}
    with tempfile.TemporaryDirectory() as folder:
        try:
            done = subprocess.run(  # noqa: S603 (the project's own pages)
                [sys.executable, str(PROCESS)],
                input=json.dumps(page),
                capture_output=True,
                text=True,
                cwd=folder,
                env=environment,
                timeout=LONGEST,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise PageError(f"{name}: takes more than {LONGEST} seconds") from error
    if done.returncode:
        raise PageError(f"{name}: {done.stderr}")
    results: list[dict[str, str]] = json.loads(done.stdout)
    return results


def _told(block: re.Match[str], result: dict[str, str], pictures: Path) -> str:
    """A block with its result below it."""
    text = result["text"].rstrip()
    # Fences longer than any that code or output hold.
    if block[1] == "console":
        return f"``````{{code-block}} console\n{text}\n``````"
    code = ALTERNATIVE.sub("", block[3])
    parts = [] if block[2] else [f"``````{{code-block}} python\n{code}``````"]
    if text:
        parts.append(f"``````{{code-block}} text\n:class: result\n\n{text}\n``````")
    if "picture" in result:
        # A path from the root of the file system: Sphinx reads paths from the folder of the page.
        source = f"{{picture-of-code}} {pictures.resolve() / result['picture']}"
        parts.append(f"``````{source}\n:alt: {result['alternative']}\n``````")
    return "\n\n".join(parts)


def execute_all(pages: dict[str, str], pictures: Path) -> dict[str, str]:
    """Run the blocks of several pages, as many pages at a time as there are cores; see :func:`execute`."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        running = {name: pool.submit(execute, name, text, pictures) for name, text in pages.items()}
        try:
            return {name: future.result() for name, future in running.items()}
        finally:
            # After a failure nothing else is started.
            pool.shutdown(cancel_futures=True)


def setup(app: Any) -> dict[str, bool]:
    """Connect to Sphinx."""
    from docutils.parsers.rst.directives.images import Image
    from sphinx.errors import ExtensionError

    class PictureOfCode(Image):  # type: ignore[misc]
        """A picture that a block has drawn; its path is that of a file, not of a source."""

        def run(self) -> list[Any]:
            folder = Path(self.state.document.settings.env.doc2path(self.state.document.settings.env.docname)).parent
            self.arguments[0] = os.path.relpath(self.arguments[0], folder)
            return list(super().run())

    told: dict[str, str] = {}

    def run_pages(app: Any, env: Any, names: list[str]) -> None:
        pages = {name: Path(env.doc2path(name)).read_text(encoding="utf-8") for name in names}
        try:
            told.update(execute_all(pages, Path(app.doctreedir) / "pictures"))
        except PageError as error:
            raise ExtensionError(str(error)) from error

    def tell(_: Any, name: str, content: list[str]) -> None:
        content[0] = told[name]

    app.add_directive("picture-of-code", PictureOfCode)
    app.connect("env-before-read-docs", run_pages)
    app.connect("source-read", tell)
    return {"parallel_read_safe": False, "parallel_write_safe": True}
