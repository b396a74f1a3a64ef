from __future__ import annotations

import pytest
from packaging.tags import Tag
from packaging.version import Version

from pyvstore.errors import WheelError
from pyvstore.wheel.filename import parse_filename


def test_the_parts_are_found() -> None:
    name, version, build, tags = parse_filename("Foo_Bar-1.0.post1-2abc-py2.py3-none-any.whl")
    assert (name, version, build) == ("foo-bar", Version("1.0.post1"), (2, "abc"))
    assert tags == {Tag("py2", "none", "any"), Tag("py3", "none", "any")}


OTHERS = [
    *("", "foo", "foo-1.0.tar.gz", "foo-1.0.whl", "foo-one-py3-none-any.whl", "a/foo-1.0-py3-none-any.whl", "../x.whl"),
    *("foo-1.0-x-py3-none-any.whl", "a\nb-1.0-py3-none-any.whl", "foo\\x-1.0-py3-none-any.whl", "a-b-c-d-e-f-g.whl"),
]


@pytest.mark.parametrize("filename", OTHERS)
def test_other_names_are_refused(filename: str) -> None:
    with pytest.raises(WheelError) as caught:
        parse_filename(filename)
    assert caught.value.code == "wheel-filename"
    assert caught.value.message.isprintable()
