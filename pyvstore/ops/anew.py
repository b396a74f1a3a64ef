"""Decide and fetch; where the index turns out to have another file than a remembered page said, once more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from pyvstore.errors import FetchError
from pyvstore.index.promise import TELL_THE_INDEX
from pyvstore.model.selection import Selection
from pyvstore.ops.entries import Obtained
from pyvstore.ops.obtain import SAID_BY_PAGES


class Decision(Protocol):
    """What is to be installed."""

    @property
    def selection(self) -> Selection:
        """The wheels."""

    @property
    def is_new(self) -> bool:
        """Whether they were chosen just now, and no lockfile promised them."""


D = TypeVar("D", bound=Decision)


def obtain_or_decide_anew(first: D, decide: Callable[[], D], obtain: Callable[[D], Obtained]) -> tuple[D, Obtained]:
    """Obtain what ``first`` decided; if a file is gone or another, decide again and obtain what is decided then.

    `obtain_all` has the pages doubted that spoke of the file, so deciding again asks the index. When it says the same
    as before, or for what a lockfile promised, the failure stands.
    """
    try:
        return first, obtain(first)
    except FetchError as error:
        if not first.is_new or error.code not in SAID_BY_PAGES:
            raise
        second = decide()
        if second.selection == first.selection:
            error.hint = f"the index itself promises another file: {TELL_THE_INDEX}"
            raise
    return second, obtain(second)
