"""Reads a report back: its tables, its pictures, and everything that it would fetch."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from html.parser import HTMLParser

EMPTY_TAGS = {"meta", "link", "img", "br"}


@dataclass
class ReadTable:
    caption: str = ""
    header: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)


class PageReader(HTMLParser):
    """What is in a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.tables: list[ReadTable] = []
        self.open: list[str] = []
        self.codes: list[str] = []
        self.files: dict[str, bytes] = {}
        self.texts: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append((tag, given))
        if tag not in EMPTY_TAGS:
            self.open.append(tag)
        if tag == "table":
            self.tables.append(ReadTable())
        if tag == "tr" and "tbody" in self.open:
            self.tables[-1].rows.append([])
        if tag in ("td", "th"):
            cells = self.tables[-1].rows[-1] if "tbody" in self.open else self.tables[-1].header
            cells.append("")
        if tag == "code":
            self.codes.append("")
        if tag == "a" and "download" in given:
            self.files[str(given["download"])] = base64.b64decode(str(given["href"]).partition(";base64,")[2])

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)
        if "caption" in self.open:
            self.tables[-1].caption += data
        elif self.open and self.open[-1] in ("td", "th"):
            cells = self.tables[-1].rows[-1] if "tbody" in self.open else self.tables[-1].header
            cells[-1] += data
        elif self.open and self.open[-1] == "code":
            self.codes[-1] += data

    def table(self, caption: str) -> ReadTable:
        (found,) = [table for table in self.tables if table.caption.startswith(caption)]
        return found

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [given for name, given in self.tags if name == tag]

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


def flaws(page: str) -> list[str]:
    """What makes a page hard to read for some, or not self-contained."""
    reader = PageReader(page)
    found = [f"{tag} is still open" for tag in reader.open]
    if [given.get("lang") for given in reader.named("html")] != ["en"]:
        found.append("no language")
    if len(reader.named("h1")) != 1:
        found.append("not one h1")
    found += ["a picture without words" for given in reader.named("img") if not (given.get("alt") or "").strip()]
    found += [
        "a table header without scope" for given in reader.named("th") if given.get("scope") not in ("col", "row")
    ]
    if len(reader.named("caption")) != len(reader.tables):
        found.append("a table without caption")
    found += [f"<{tag}>" for tag, _ in reader.tags if tag in ("script", "iframe", "object", "embed")]
    for tag, given in reader.tags:
        for name in ("src", "href", "srcset", "action"):
            if name in given and not str(given[name]).startswith("data:"):
                found.append(f"{tag} {name} = {given[name]}")
        found += [f"{tag} {name}" for name in given if name.startswith("on")]
    for table in reader.tables:
        found += ["a row of another width" for row in table.rows if len(row) != len(table.header)]
    if "url(" in page or "@import" in page:
        found.append("a style that fetches")
    return found
