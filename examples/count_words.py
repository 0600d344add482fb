"""Count the words of the English text in the standard library's ``pydoc_data.topics``: real, Zipf-like frequencies.

Usage: ``python examples/count_words.py WORDS.csv`` writes the columns ``class,count``, the most frequent word first.
"""

import csv
import re
import sys
from collections import Counter
from pathlib import Path
from pydoc_data.topics import topics


def count_words() -> list[tuple[str, int]]:
    """Lower-case words of all topics with their counts, the most frequent first, ties in alphabetical order."""
    words = Counter(word for text in topics.values() for word in re.findall(r"[a-z]{2,}", text.lower()))
    return sorted(words.items(), key=lambda item: (-item[1], item[0]))


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("class", "count"), *count_words()])
