"""Standard streams that remember what they are told, for tests of what people see."""

import io
import sys

import pytest
from typing_extensions import override


class Stream(io.TextIOWrapper):
    """A text stream of any encoding, a terminal or not."""

    def __init__(self, *, encoding: str = "utf-8", terminal: bool = False) -> None:
        super().__init__(io.BytesIO(), encoding=encoding, errors="strict", newline="")
        self._terminal = terminal

    @override
    def isatty(self) -> bool:
        return self._terminal

    @property
    def text(self) -> str:
        self.flush()
        buffer = self.buffer
        assert isinstance(buffer, io.BytesIO)
        return buffer.getvalue().decode(self.encoding)


def put(patch: pytest.MonkeyPatch, *, encoding: str = "utf-8", terminal: bool = False) -> tuple[Stream, Stream]:
    """Replace stdout and stderr; return both."""
    out, err = Stream(encoding=encoding, terminal=terminal), Stream(encoding=encoding, terminal=terminal)
    patch.setattr(sys, "stdout", out)
    patch.setattr(sys, "stderr", err)
    return out, err
