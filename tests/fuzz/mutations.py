"""Mutations of bytes and of values; the same random numbers make the same mutation."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

PIECES = (
    *(b"", b"\0", b"\xff", b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\xc0\x80", b"\xe2\x80\xae", b"\x1b[31m"),
    *(b"\n", b"\r\n", b"\n\n", b" ", b"\t", b"/", b"\\", b"..", b"../", b"/../../x", b":", b"C:\\", b"'", b'"'),
    *(b"\\ud800", b"{", b"}", b"[", b"]", b"<", b">", b"</a>", b"<!--", b"<![CDATA[", b"<!x", b"&#", b"&#x110000;"),
    *(b"=", b"==", b"===", b"~=", b"*", b",", b";", b"#", b"@", b"%", b"%00", b"%2f", b"$(x)", b"-", b"_", b"+", b"!"),
    *(b"0", b"-1", b"1e999", b"NaN", b"Infinity", b"null", b"true", b"9" * 400, b"9" * 5000, b"(" * 300, b"[" * 3000),
    *(b"PK\3\4", b"PK\1\2", b"PK\5\6", b"PK\6\6", b"PK\6\7", b"\0" * 64, b"\xff" * 8, b"a" * 300, b"\n " * 40),
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2**31, 2**63, 2**64, 10**400, 0.5, float("inf"), float("nan"), "", " ", "x", "\0"),
    *("\ud800", "\x1b[31m", "..", "../x", "/etc/passwd", "a/b", "a\\b", "a" * 300, "1" * 5000, "é", "con", [], {}),
    *({"": ""}, [[]], [{}], ["x"], {"x": "y"}, [1, 2], "file:///etc/passwd", "https://h:99999/x", "https://["),
)  # fmt: skip


def mutated_bytes(random: Random, data: bytes, others: Sequence[bytes] = ()) -> bytes:
    """Return ``data`` with one to four changes; ``others`` are texts that pieces may come from."""
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        data = _changed(random, data, others)
    return data


def _changed(random: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    start = random.randrange(len(data) + 1)
    stop = min(len(data), start + random.choice((0, 1, 1, 2, 4, 8, 32, 200)))
    kind = random.randrange(8)
    if kind == 0 and start < len(data):
        return data[:start] + bytes([data[start] ^ (1 << random.randrange(8))]) + data[start + 1 :]
    if kind == 1:
        return data[:start]
    if kind == 2:
        return data[:start] + data[stop:]
    if kind == 3:
        return data[:stop] + data[start:stop] * random.choice((1, 1, 2, 50)) + data[stop:]
    if kind == 4:
        other = random.choice(others) if others else data
        begin = random.randrange(len(other) + 1)
        return data[:start] + other[begin : begin + random.choice((1, 4, 40, 400))] + data[stop:]
    if kind == 5 and start < len(data):
        return data[:start] + bytes([random.randrange(256)]) + data[start + 1 :]
    return data[:start] + random.choice(PIECES) + data[stop:]


def mutated_value(random: Random, value: Any) -> Any:
    """Return a tree of tables, lists and scalars with one to three places changed."""
    for _ in range(random.choice((1, 1, 2, 3))):
        value = _with_change(random, value)
    return value


def _with_change(random: Random, value: Any) -> Any:
    if isinstance(value, dict) and value and random.random() < 0.85:
        key = random.choice(list(value))
        kind = random.randrange(8)
        if kind == 0:
            return {name: inner for name, inner in value.items() if name != key}
        if kind == 1:
            return {**value, _odd_text(random, str(key)): value[key]}
        if kind == 2:
            return {(_odd_text(random, str(name)) if name == key else name): inner for name, inner in value.items()}
        return {**value, key: _with_change(random, value[key])}
    if isinstance(value, list) and value and random.random() < 0.85:
        at = random.randrange(len(value))
        kind = random.randrange(8)
        if kind == 0:
            return [*value[:at], *value[at + 1 :]]
        if kind == 1:
            return [*value, value[at]]
        if kind == 2:
            return [*value[at:], *value[:at]]
        return [*value[:at], _with_change(random, value[at]), *value[at + 1 :]]
    if isinstance(value, str) and random.random() < 0.6:
        return _odd_text(random, value)
    if type(value) in {int, float} and random.random() < 0.5:
        return value + random.choice((-1, 1, 10**6, -(10**6)))
    return random.choice(VALUES)


def _odd_text(random: Random, text: str) -> str:
    return mutated_bytes(random, text.encode("utf-8", "surrogatepass")).decode(
        "utf-8", random.choice(("replace", "ignore"))
    )
