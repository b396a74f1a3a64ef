"""Run seeded cases of one subject and hold each to the rule."""

from __future__ import annotations

import os
import re
import resource
import time
from collections.abc import Callable, Iterator
from random import Random

from pyvstore.errors import InternalError, PyvstoreError

LONG = int(os.environ.get("PYVSTORE_TEST_LONG") or "0")
TIMES = 1 if not LONG else 20 if LONG == 1 else LONG
ONLY = os.environ.get("PYVSTORE_TEST_CASE")
LONGEST_SECONDS = 10.0
MOST_MEMORY_KIB = 600 * 1024
_is_code = re.compile(r"[a-z]+(-[a-z0-9]+)*").fullmatch


def cases(subject: str, count: int) -> Iterator[tuple[str, Random]]:
    """Yield a name and random numbers for each case of a campaign that is ``count`` long in its short form."""
    numbers = [int(ONLY)] if ONLY else range(count * TIMES)
    for number in numbers:
        yield f"{subject} {number}", Random(f"{subject} {number}")


def obeys(name: str, action: Callable[[], object], *, may_raise: tuple[type[Exception], ...] = ()) -> str:
    """Do it: it must end soon, and well or with a coded refusal. Return the code, or "" where it ended well."""
    started, memory = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    code = ""
    try:
        action()
    except PyvstoreError as error:
        if isinstance(error, InternalError) or not (_is_code(error.code) and error.message):
            raise AssertionError(f"{name}: {error!r}") from error
        code = error.code
    except may_raise as error:
        code = type(error).__name__
    except Exception as error:
        raise AssertionError(f"{name}: {type(error).__name__}: {error}") from error
    assert time.perf_counter() - started < LONGEST_SECONDS, name
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory < MOST_MEMORY_KIB, name
    return code
