"""What somebody asks for, in the names of a lock."""

from __future__ import annotations

from typing import Any

import pytest
from packaging.utils import NormalizedName

from pyvstore.errors import UsageError
from pyvstore.lockfile.document import LockDocument
from pyvstore.lockfile.parts import ChosenParts, choose_parts, narrowed
from pyvstore.model.parts import DEFAULT_PARTS, Parts

OURS = LockDocument(
    extras=(NormalizedName("cpu"), NormalizedName("cuda")),
    dependency_groups=("dev", "docs", "old"),
    default_groups=("pyvstore-default",),
    default_members=("dev",),
    conflicts=(("extra:cpu", "extra:cuda"), ("extra:cuda", "group:old")),
)
FOREIGN = LockDocument(dependency_groups=("Dev", "Docs_Web"), default_groups=("Dev", "Their_Default"))


def chosen(extras: str = "", groups: str = "", *, without_project: bool = False) -> ChosenParts:
    return ChosenParts(
        extras=frozenset(extras.split()), groups=frozenset(groups.split()), without_project=without_project
    )


@pytest.mark.parametrize(
    ("document", "asked", "expected"),
    [
        pytest.param(OURS, {}, chosen(groups="dev"), id="default"),
        pytest.param(OURS, {"no_default_groups": True}, chosen(), id="nothing"),
        pytest.param(OURS, {"without_groups": ("dev",)}, chosen(), id="without a default group"),
        pytest.param(OURS, {"groups": ("docs",)}, chosen(groups="dev docs"), id="beside the default group"),
        pytest.param(OURS, {"all_groups": True}, chosen(groups="dev docs old"), id="all groups"),
        pytest.param(
            OURS, {"all_groups": True, "without_groups": ("old",)}, chosen(groups="dev docs"), id="all but one"
        ),
        pytest.param(OURS, {"extras": ("CPU",)}, chosen("cpu", "dev"), id="an extra"),
        pytest.param(
            OURS,
            {"only_groups": ("docs", "old"), "without_groups": ("old",), "extras": ("cpu",), "all_groups": True},
            chosen(groups="docs", without_project=True),
            id="nothing but a group",
        ),
        pytest.param(FOREIGN, {}, chosen(groups="Dev Their_Default"), id="as another tool spells them"),
        pytest.param(
            FOREIGN, {"without_groups": ("dev",)}, chosen(groups="Their_Default"), id="left out, spelled otherwise"
        ),
        pytest.param(
            FOREIGN,
            {"groups": ("dev", "docs-web"), "no_default_groups": True},
            chosen(groups="Dev Docs_Web"),
            id="asked for, spelled otherwise",
        ),
    ],
)
def test_what_is_asked_for_is_found_in_the_lock(
    document: LockDocument, asked: dict[str, Any], expected: ChosenParts
) -> None:
    assert choose_parts(document, Parts(**asked)) == expected


@pytest.mark.parametrize(
    ("document", "asked", "code", "words"),
    [
        (OURS, {"extras": ("gpu",)}, "extra-unknown", "no extra 'gpu'; it has cpu, cuda"),
        (OURS, {"groups": ("x",)}, "group-unknown", "no group 'x'; it has dev, docs, old"),
        (OURS, {"only_groups": ("x",)}, "group-unknown", "no group 'x'; it has dev, docs, old"),
        (OURS, {"without_groups": ("x",)}, "group-unknown", "no group 'x'; it has dev, docs, old"),
        (OURS, {"groups": ("pyvstore-default",)}, "group-unknown", "no group 'pyvstore-default'"),
        (FOREIGN, {"groups": ("their-default",)}, "group-unknown", "no group 'their-default'"),
        (FOREIGN, {"extras": ("x",)}, "extra-unknown", "no extra 'x'; it has no extras at all"),
        (OURS, {"all_extras": True}, "parts-conflict", "extra cpu and extra cuda exclude each other"),
        (OURS, {"extras": ("cuda",), "groups": ("old",)}, "parts-conflict", "extra cuda and group old exclude"),
    ],
)
def test_what_cannot_be_had_is_refused(document: LockDocument, asked: dict[str, Any], code: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        choose_parts(document, Parts(**asked))
    assert caught.value.code == code
    assert words in f"{caught.value.message}; {caught.value.hint}"


def test_names_that_the_lock_has_no_more_are_forgotten_and_nothing_else() -> None:
    both = ("docs", "gone")
    flags = {"all_extras": True, "all_groups": True, "no_default_groups": True}
    before = Parts(extras=("cpu", "gone"), groups=both, without_groups=both, only_groups=both, **flags)
    one = ("docs",)
    assert narrowed(OURS, before) == Parts(extras=("cpu",), groups=one, without_groups=one, only_groups=one, **flags)
    assert narrowed(FOREIGN, Parts(groups=("docs-web", "docs"))) == Parts(groups=("docs-web",))
    assert narrowed(OURS, DEFAULT_PARTS) == DEFAULT_PARTS
