"""How long to wait, and how often to try again."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Patience:
    """All time-outs and retries of an index, in seconds.

    Attributes:
        connect_seconds: until a connection (and its TLS) stands.
        stall_seconds: the longest silence in the middle of anything.
        page_seconds: the longest time for one page or piece of metadata, however lively.
        download_seconds: the same for one whole file.
        attempts: how often one thing is tried in all; progress on a download starts the count again.
        backoff_seconds: pause before the second attempt; doubles each time, plus up to half of it by chance, so that
            sixteen threads do not come back in step.
        pause_limit_seconds: no pause is longer, whatever ``Retry-After`` says.
    """

    connect_seconds: float = 10.0
    stall_seconds: float = 30.0
    page_seconds: float = 300.0
    download_seconds: float = 7200.0
    attempts: int = 4
    backoff_seconds: float = 0.25
    pause_limit_seconds: float = 20.0

    def pause_before(self, attempt: int, retry_after: str | None = None) -> float:
        """Return how long to wait before attempt number ``attempt`` (the first retry is 2)."""
        if retry_after is not None and retry_after.strip().isdecimal():
            return min(float(retry_after.strip()[:6]), self.pause_limit_seconds)
        import random  # it brings in much, and who sends nothing never waits

        pause = self.backoff_seconds * 2 ** (attempt - 2)
        return float(min(pause * (1 + random.random() / 2), self.pause_limit_seconds))  # noqa: S311 - no secret


PATIENT = Patience()
"""What suits people."""
