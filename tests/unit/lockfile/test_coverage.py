import pytest
from packaging.markers import Marker
from packaging.specifiers import SpecifierSet

from pyvstore.lockfile.coverage import covers
from pyvstore.lockfile.document import LockDocument
from tests.unit.lockfile.samples import LINUX


@pytest.mark.parametrize(
    ("requires_python", "environments", "expected"),
    [
        (None, (), True),
        (">=3.12", (), True),
        ("<3.12", (), False),
        (None, ("python_version == '3.12'",), True),
        (None, ("python_version == '3.13'",), False),
        (None, ("python_version == '3.13'", "sys_platform == 'linux'"), True),
        (">=3.13", ("python_version == '3.12'",), False),
    ],
)
def test_a_lock_covers_what_its_python_and_one_of_its_environments_allow(
    requires_python: str | None, environments: tuple[str, ...], *, expected: bool
) -> None:
    document = LockDocument(
        requires_python=None if requires_python is None else SpecifierSet(requires_python),
        environments=tuple(map(Marker, environments)),
    )
    assert covers(document, LINUX) is expected
