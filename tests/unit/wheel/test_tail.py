from __future__ import annotations

from collections.abc import Callable

import pytest

from pyvstore.errors import WheelError
from pyvstore.wheel import tail
from pyvstore.wheel.tail import NeedRange, Piece, find_metadata
from tests.support.wheels import Member, build_wheel, write_archive

FILENAME = "foo-1.0-py3-none-any.whl"
MANY = {f"foo/module_{number:04}.py": f"x = {number}\n" for number in range(300)}


def ask(data: bytes, tail_bytes: int, filename: str = FILENAME) -> tuple[bytes, int]:
    """Play the caller; return METADATA and how many requests it took."""
    pieces = [Piece(max(0, len(data) - tail_bytes), data[-tail_bytes:])]
    for requests in range(1, 6):
        answer = find_metadata(pieces, len(data), filename)
        if isinstance(answer, bytes):
            return answer, requests
        assert 0 <= answer.start < answer.end <= len(data)
        assert all(answer.end <= piece.start or answer.start >= piece.start + len(piece.data) for piece in pieces)
        pieces.append(Piece(answer.start, data[answer.start : answer.end]))
    raise AssertionError("too many questions")


@pytest.mark.parametrize("tail_bytes", [22, 30, 76, 100, 500, 2000, 20_000, 10**6])
@pytest.mark.parametrize("first", [True, False])
def test_metadata_is_found_wherever_it_lies(tail_bytes: int, first: bool) -> None:
    def reorder(members: list[Member]) -> list[Member]:
        return sorted(members, key=lambda member: ("METADATA" in str(member.name)) is not first)

    _, data = build_wheel("foo", files=MANY, mutate=reorder)
    metadata, requests = ask(data, tail_bytes)
    assert metadata.startswith(b"Metadata-Version: 2.1\nName: foo\n")
    assert requests <= 4
    if tail_bytes >= len(data):
        assert requests == 1


@pytest.mark.parametrize("tail_bytes", [22, 60, 98, 150, 1000])
def test_zip64_archives_are_read(tail_bytes: int) -> None:
    found: list[Member] = []
    build_wheel("foo", mutate=found.extend)
    for member in found:
        member.zip64 = True
        member.descriptor = "signed"
    assert ask(write_archive(found, zip64=True), tail_bytes)[0].startswith(b"Metadata-Version")


def test_a_comment_hides_the_end_record_for_one_question_only() -> None:
    _, data = build_wheel("foo", comment=b"c" * 3000)
    assert ask(data, 100)[1] == 2


def test_what_was_fetched_may_overlap() -> None:
    _, data = build_wheel("foo", files=MANY)
    pieces = [Piece(len(data) - 100, data[-100:]), Piece(10, data[10:-50]), Piece(0, data[:20])]
    assert isinstance(find_metadata(pieces, len(data), FILENAME), bytes)


def test_a_missing_middle_is_asked_for_exactly() -> None:
    _, data = build_wheel("foo", files={"foo.py": "x"})
    directory = data.index(b"PK\x01\x02")
    answer = find_metadata([Piece(directory, data[directory:])], len(data), FILENAME)
    assert isinstance(answer, NeedRange)
    start = data.index(b"foo-1.0.dist-info/METADATA") - 30
    assert answer == NeedRange(start, data.index(b"foo-1.0.dist-info/WHEEL") - 30)
    within = start + 40
    assert find_metadata([Piece(within, data[within:])], len(data), FILENAME) == NeedRange(start, within)


def lie(**fields: int) -> Callable[[list[Member]], None]:
    def mutate(members: list[Member]) -> None:
        for member in members:
            if str(member.name).endswith("METADATA"):
                member.central = dict(fields)

    return mutate


@pytest.mark.parametrize(
    "mutate",
    [
        lie(crc=1),
        lie(size=7),
        lie(method=12),
        lie(size=10**7),
        lie(flags=1),
        lambda members: members.append(Member("foo-1.0.dist-info/METADATA", b"x")),
        lambda members: [member for member in members if "METADATA" not in str(member.name)],
        lambda members: members.append(Member("bar-1.0.dist-info/METADATA", b"x")),
    ],
)
def test_an_archive_that_lies_about_its_metadata_is_refused(
    mutate: Callable[[list[Member]], list[Member] | None],
) -> None:
    _, data = build_wheel("foo", mutate=mutate)
    with pytest.raises(WheelError) as caught:
        ask(data, 10**6)
    assert FILENAME in caught.value.message


def test_damaged_metadata_is_refused() -> None:
    def damage(members: list[Member]) -> None:
        for member in members:
            if str(member.name).endswith("METADATA"):
                member.raw = b"\xff" * 20

    with pytest.raises(WheelError):
        ask(build_wheel("foo", mutate=damage)[1], 10**6)


def test_metadata_that_is_too_large_is_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail, "MAX_METADATA_BYTES", 10)
    with pytest.raises(WheelError) as caught:
        ask(build_wheel("foo")[1], 10**6)
    assert "more than 10 bytes" in caught.value.causes[0]


def test_pieces_that_do_not_reach_the_end_are_refused() -> None:
    _, data = build_wheel("foo")
    for pieces in ([], [Piece(0, data[:-1])], [Piece(5, data)]):
        with pytest.raises(WheelError):
            find_metadata(pieces, len(data), FILENAME)


def test_what_is_no_wheel_is_refused() -> None:
    with pytest.raises(WheelError):
        ask(b"<html>" * 1000, 100)
    with pytest.raises(WheelError):
        ask(build_wheel("foo")[1], 10**6, "bar-1.0-py3-none-any.whl")
    with pytest.raises(WheelError):
        ask(build_wheel("foo")[1], 10**6, "foo.whl")
