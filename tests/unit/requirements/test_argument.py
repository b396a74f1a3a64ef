"""What people type after ``add``."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement

from pyvstore.errors import UsageError
from pyvstore.requirements.argument import parse_requirement_argument, parse_requirement_arguments


@pytest.mark.parametrize("text", ["numpy", " numpy>=2 ", "numpy >= 2, <3", "foo[a,b]==1.* ; os_name == 'nt'"])
def test_a_requirement_of_the_standard_is_accepted(text: str) -> None:
    assert parse_requirement_argument(text) == Requirement(text.strip())


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("numpy=2", "write `'numpy==2'`"),
        ("numpy = 2.1", "write `'numpy==2.1'`"),
        ("numpy[a, b]=2", "write `'numpy[a,b]==2'`"),
        ("numpy 2.0", "write `'numpy==2.0'`"),
        ("numpy=>2", "write `'numpy>=2'`"),
        ("numpy=<2", "write `'numpy<=2'`"),
        ("numpy^2.1", "write `'numpy>=2.1,<3'`"),
        ("numpy^0.3", "write `'numpy>=0.3,<0.4'`"),
        ("numpy^0", "write `'numpy>=0,<1'`"),
        ("numpy~2", "write `'numpy>=2'`"),
        ("numpy~2.1", "write `'numpy~=2.1'`"),
        ("numpy>=1 <2", "write `'numpy>=1,<2'`"),
        ("numpy@2.1", "write `'numpy==2.1'`"),
        ("numpy@v2.1", "write `'numpy==2.1'`"),
        ("numpy==", "a version is missing after `==`"),
    ],
)
def test_a_near_miss_is_answered_with_what_was_probably_meant(text: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_requirement_argument(text)
    assert (caught.value.code, caught.value.exit_code, caught.value.hint) == ("requirement", 2, hint)


def test_asking_for_the_latest_version_needs_no_word() -> None:
    with pytest.raises(UsageError) as caught:
        parse_requirement_argument("numpy@latest")
    assert "`pyvstore add numpy`" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("https://files.example/numpy.whl", "URL"),
        ("git+ssh://git@code.example/numpy", "URL"),
        ("numpy @ https://files.example/numpy.whl", "stands for a URL or a path"),
        ("./numpy", "is a path"),
        (".", "is a path"),
        ("../x", "is a path"),
        ("/opt/numpy", "is a path"),
        ("~/numpy", "is a path"),
        ("C:\\numpy", "is a path"),
        ("numpy-2.0-py3-none-any.whl", "is a path"),
        ("numpy-2.0.tar.gz", "is a path"),
        ("-r", "is an option"),
        ("requirements.txt", "file of requirements"),
        ("numpy!", "is not a requirement"),
        ("numpy 2.0 x", "is not a requirement"),
        ("!", "is not a requirement"),
        ("foo[", "is not a requirement"),
        ("foo ; nonsense", "is not a requirement"),
        ("foo>=not-a-version", "is not a requirement"),
    ],
)
def test_what_is_no_requirement_is_refused_with_its_reason(text: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason) as caught:
        parse_requirement_argument(text)
    assert caught.value.code == "requirement"
    assert caught.value.hint


@pytest.mark.parametrize(
    "text",
    [
        "https://me:secret@files.example/x",
        "x @ https://me:secret@files.example/x",
        "x @ https://me:secret@files.example/x.whl",
        "x @ https://me:secret@h/x y",
        "./x https://me:secret@h/",
    ],
)
def test_a_password_in_a_url_is_never_repeated(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_requirement_argument(text)
    assert "secret" not in f"{caught.value.message}{caught.value.causes}{caught.value.hint}"


@given(st.text(max_size=30))
def test_any_text_is_a_requirement_or_a_coded_refusal_that_prints_safely(text: str) -> None:
    try:
        requirement = parse_requirement_argument(text)
    except UsageError as error:
        refusal = error
    else:
        assert requirement.url is None
        return
    assert refusal.code == "requirement"
    assert all(part.isprintable() for part in (refusal.message, *refusal.causes, refusal.hint or ""))


@given(
    st.sampled_from(["=", "=>", "^", "~", " ", "@", "=<", "<>"]),
    st.from_regex(r"[1-9]?[0-9](\.[0-9]){0,2}(rc1)?", fullmatch=True),
)
def test_every_suggestion_is_itself_a_requirement(operator: str, version: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_requirement_argument(f"numpy{operator}{version}")
    hint = str(caught.value.hint)
    assert hint.startswith("write `'")
    parse_requirement_argument(hint.removeprefix("write `'").removesuffix("'`"))


def test_one_package_said_twice_in_other_spellings_is_one_requirement() -> None:
    parsed = parse_requirement_arguments(["Flask>=3", "rich", "flask >= 3"])
    assert [str(requirement) for requirement in parsed] == ["Flask>=3", "rich"]


def test_two_wishes_for_one_package_are_refused() -> None:
    with pytest.raises(UsageError, match="'numpy' and 'NumPy>=2' name the same package") as caught:
        parse_requirement_arguments(["numpy", "NumPy>=2"])
    assert caught.value.code == "requirement"


def test_one_package_for_different_platforms_is_two_requirements() -> None:
    texts = ["foo>=1 ; os_name == 'nt'", "foo>=2 ; os_name != 'nt'"]
    assert len(parse_requirement_arguments(texts)) == 2
