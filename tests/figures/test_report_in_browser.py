"""The report as a reader's browser has it: nothing fetched, nothing complained of, pictures and tables there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from figures.report.contents import gather
from figures.report.page import report_page
from tests.figures.browser import Page, browser_page, find_browser
from theory.setting_file import load

PROGRAM = find_browser()
pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no Chromium here: apt-get install chromium")
PHONE, SCREEN = 400, 1100
QUICK = {"steps": 300, "replicates": 3, "prompts": 5}
SMALL = ("num_high=2", "num_low=4", "p_high=0.8", "context_length=3", "relevant_examples=2", "label_noise=0.1")
ALIKE = ("frequencies=uniform", "num_classes=30", "context_length=3", "relevant_examples=2", "label_noise=0")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with browser_page(str(PROGRAM), tmp_path_factory.mktemp("browser")) as opened:
        yield opened


def problems(page: Page, path: Path, width: int) -> list[str]:
    """Everything that is wrong with a page at a width."""
    page.open(path.as_uri(), width)
    found = [f"console: {text}" for text in page.complaints()]
    outside = [url for url in page.requests() if url != path.as_uri() and not url.startswith("data:")]
    found += [f"request: {url}" for url in outside]
    widths = page.value("[...document.images].map(image => image.complete ? image.naturalWidth : 0)")
    if not widths or min(widths) == 0:
        found.append(f"pictures: {widths}")
    rows = page.value("[...document.querySelectorAll('tbody')].map(body => body.rows.length)")
    if not rows or min(rows) == 0:
        found.append(f"tables: {rows}")
    empty = page.value("[...document.querySelectorAll('td, th')].filter(cell => !cell.innerText.trim()).length")
    if empty:
        found.append(f"empty cells: {empty}")
    reach = page.value("document.documentElement.scrollWidth")
    if reach > width:
        found.append(f"overflow: {reach}")
    return found


@pytest.mark.parametrize("setting", [("transient", *SMALL), ("chan2024",), ("transient", *ALIKE)])
def test_a_browser_shows_everything(page: Page, tmp_path: Path, setting: tuple[str, ...]) -> None:
    path = tmp_path / "report.html"
    path.write_text(report_page(gather(*load(setting[0], overrides=setting[1:]), **QUICK)), encoding="utf-8")
    for width in (PHONE, SCREEN):
        assert problems(page, path, width) == []
    assert page.value("document.querySelector('h1').innerText") == "a setting: in context or in weights?"


def test_a_long_name_does_not_widen_the_page(page: Page, tmp_path: Path) -> None:
    import theory

    names = ["a" * 300, "b <b>c</b>", "c"]
    task = theory.TaskDistribution(
        frequencies="counts", counts=[5, 3, 2], class_names=names, context_length=4, relevant_examples=2
    )
    path = tmp_path / "report.html"
    path.write_text(report_page(gather(task, **QUICK), title="x" * 200), encoding="utf-8")
    assert problems(page, path, PHONE) == []
    found = page.value("[...document.querySelectorAll('tbody')][0].innerText")
    assert "b <b>c</b>" in found


PICTURE = "<img src='data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=='>"
BODY = f"{PICTURE}<table><tbody><tr><td>1</td></tr></tbody></table>"


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("", ""),
        ("<script>console.error('a')</script>", "console: "),
        ("<script>throw new Error('a')</script>", "console: "),
        ("<img src='data:image/png;base64,AAAA'>", "pictures: "),
        ("<img src='missing.png'>", "request: "),
        ("<link rel=stylesheet href='http://127.0.0.1:9/a.css'>", "request: "),
        ("<table><tbody></tbody></table>", "tables: "),
        ("<table><tbody><tr><td> </td></tr></tbody></table>", "empty cells: 1"),
        ("<p style='width: 500px'>a</p>", "overflow: 5"),
    ],
)
def test_problems_are_found(page: Page, tmp_path: Path, body: str, problem: str) -> None:
    path = tmp_path / "bad.html"
    head = "<meta name='viewport' content='width=device-width, initial-scale=1'><link rel='icon' href='data:,'>"
    path.write_text(f"<!DOCTYPE html><html><head>{head}</head><body>{BODY}{body}</body></html>", encoding="utf-8")
    found = problems(page, path, PHONE)
    assert [text for text in found if text.startswith(problem)] if problem else found == []
