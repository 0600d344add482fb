"""Kinds of rows: what share of the prompts has which kind of context."""

from __future__ import annotations

from dataclasses import dataclass

from theory.checks import choice, integer, real
from theory.errors import SettingError

MATCHES = ("exact", "at-least-one", "none", "iid")
REST = ("iid", "no-support", "unique")
LARGEST_CONTEXT = 10_000


@dataclass(frozen=True, kw_only=True)
class RowKind:
    r"""One kind of rows: how many context examples are of the query's class, and what the others are.

    Let the query be of class :math:`x`, with probability :math:`p_x`, and the context hold :math:`L` examples. The
    law of :math:`M`, the number of examples of class :math:`x`, is that of ``matches``. One *distractor*, a class drawn
    from :math:`p` restricted to the others, is repeated ``distractor_copies`` times. The rest, which never adds
    matches, fills the context; then its order is shuffled.

    Parameters
    ----------
    name : str
        Name of the kind, such as ``relevant``, ``irrelevant``, ``bursty`` or ``plain``.
    share : float
        Share of the rows, in [0, 1]; a kind that is never drawn (share 0) can still be asked for.
    matches : {"exact", "at-least-one", "none", "iid"}
        :math:`M`: exactly ``copies``; Binomial(:math:`L`, :math:`p_x`) given at least 1; 0; or Binomial(:math:`L`,
        :math:`p_x`), every example drawn from :math:`p`.
    copies : int, optional
        Number of matches, at least 1; for ``exact`` and only there.
    distractor_copies : int
        Examples of the distractor, at least 0; only with ``exact`` and ``none``.
    rest : {"iid", "no-support", "unique"}
        The other examples: from :math:`p` restricted to classes other than the query's, which the distractor is one
        of; also without the distractor's class; or one after the other from what is then left without any class drawn
        before, so that they are all different.

    Raises
    ------
    SettingError
        A setting is out of its range, or does not go with the others.

    Examples
    --------
    >>> RowKind(name="bursty", share=0.9, matches="exact", copies=3, distractor_copies=3).rest_examples(8)
    (2, 2)
    """

    name: str
    share: float
    matches: str
    copies: int | None = None
    distractor_copies: int = 0
    rest: str = "iid"

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name.strip() or "." in self.name or "=" in self.name:
            raise SettingError("episodes.rows.name", self.name, "a name without dots and equals signs")
        object.__setattr__(self, "share", real(self._field("share"), self.share, minimum=0, maximum=1))
        choice(self._field("matches"), self.matches, MATCHES)
        choice(self._field("rest"), self.rest, REST)
        self._check_copies()
        self._check_distractor()
        if self.matches == "iid" and self.rest != "iid":
            allowed = "'iid', since matches = 'iid' draws every example from the class law"
            raise SettingError(self._field("rest"), self.rest, allowed)

    def _field(self, key: str) -> str:
        return f"episodes.rows.{self.name}.{key}"

    def _check_copies(self) -> None:
        field = self._field("copies")
        if self.matches == "exact":
            if self.copies is None:
                raise SettingError(field, None, "a whole number of at least 1, since matches = 'exact' needs it")
            copies = integer(field, self.copies, minimum=1, maximum=LARGEST_CONTEXT)
            object.__setattr__(self, "copies", copies)
        elif self.copies is not None:
            raise SettingError(field, self.copies, f"nothing, since matches = {self.matches!r} has no such setting")

    def _check_distractor(self) -> None:
        field = self._field("distractor_copies")
        copies = integer(field, self.distractor_copies, minimum=0, maximum=LARGEST_CONTEXT)
        if copies and self.matches not in ("exact", "none"):
            raise SettingError(field, copies, f"0, since matches = {self.matches!r} leaves it no certain room")
        object.__setattr__(self, "distractor_copies", copies)

    def rest_examples(self, context_length: int) -> tuple[int, int]:
        """Least and largest number of examples that are neither of the query's class nor copies of the distractor."""
        room = context_length - self.distractor_copies
        if self.matches == "exact":
            return room - (self.copies or 0), room - (self.copies or 0)
        if self.matches == "none":
            return room, room
        return 0, room - (self.matches == "at-least-one")

    def most_classes(self, context_length: int) -> int:
        """Largest number of different classes in a row, the query's included."""
        return 1 + (self.distractor_copies > 0) + self.rest_examples(context_length)[1]
