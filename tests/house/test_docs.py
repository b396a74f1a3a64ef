"""The documents name everything that the code has, and lead nowhere else."""

import re
import subprocess
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import typer

from pyvstore import events
from pyvstore.cli.app import build_app
from pyvstore.cli.console import Console
from pyvstore.cli.globals import Globals
from pyvstore.model.platforms import PLATFORM_CLASSES
from pyvstore.requirements import indexes, settings
from pyvstore.resolution.policy import Prereleases, Strategy
from pyvstore.store.location import HOME_VARIABLE

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "docs" / "reference"
DOCUMENTS = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
SOURCES = sorted((ROOT / "pyvstore").rglob("*.py"))


def read(name: str) -> str:
    return (REFERENCE / name).read_text(encoding="utf-8")


def commands() -> Iterator[tuple[str, Any]]:
    """Yield every command by its words; the root has none. Their type depends on the version of typer."""
    pending: list[tuple[str, Any]] = [("", typer.main.get_command(build_app(Globals(), Console())))]
    while pending:
        name, command = pending.pop()
        yield name, command
        pending += [(f"{name} {word}".strip(), child) for word, child in getattr(command, "commands", {}).items()]


def section(name: str) -> str:
    """Return the part of commands.md that is about one command, or about all."""
    text = read("commands.md")
    heading = f"\n## {name or 'For every command'}\n"
    assert heading in text, f"commands.md has no section `{name}`"
    return text.partition(heading)[2].partition("\n## ")[0]


LEAVES = {name: command for name, command in commands() if not hasattr(command, "commands")}


def test_the_commands_are_found() -> None:
    assert {"add", "sync", "store path"} <= set(LEAVES)


@pytest.mark.parametrize("name", ["", *sorted(LEAVES)])
def test_every_command_and_option_is_documented(name: str) -> None:
    text = section(name)
    options = options_of(dict(commands())[name])
    assert options
    assert {option for option in options if f"`{option}" not in text} <= {"--help", "-h"}


def options_of(command: Any) -> set[str]:
    context = typer.Context(command)
    named = [parameter for parameter in command.get_params(context) if parameter.param_type_name == "option"]
    return {option for parameter in named for option in parameter.opts}


def test_no_option_is_documented_that_does_not_exist() -> None:
    known = {option for _, command in commands() for option in options_of(command)}
    documented = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", read("commands.md")))
    assert documented <= known


def test_every_setting_and_variable_is_documented() -> None:
    text = read("settings.md")
    keys = {"index", *settings._PARSERS, *settings._NOT_YET, *indexes._INDEX_KEYS, *indexes._INDEX_NOT_YET}
    assert {"platforms", "exclude-newer", "workspace", "url", "explicit"} <= keys
    variables = {HOME_VARIABLE, "PYVSTORE_INDEX_URL"}
    variables |= {f"PYVSTORE_{key.replace('-', '_').upper()}" for key in settings._VARIABLES}
    choices = [kind.value for kinds in (Prereleases, Strategy) for kind in kinds]
    assert {name for name in {*keys, *variables, *PLATFORM_CLASSES} if f"`{name}`" not in text} == set()
    assert {value for value in choices if f'`"{value}"`' not in text} == set()


def source_codes(pattern: str) -> set[str]:
    return {code for path in SOURCES for code in re.findall(pattern, path.read_text(encoding="utf-8"))}


def test_every_error_code_is_documented() -> None:
    codes = source_codes(r'\bcode(?:: str )?=[ ]?"([a-z0-9-]+)"') | source_codes(
        r'default_code(?:: [^=]+)? = "([a-z0-9-]+)"'
    )
    # Codes that are put together where they are raised.
    assert source_codes(r'\bcode=(f".*?")') == {'f"{kind}-unknown"', "f\"{name.partition('.')[0]}-too-large\""}
    codes |= {"extra-unknown", "group-unknown", "pyproject-too-large", "pylock-too-large"}
    text = read("exit-codes.md").partition("\n## Warnings\n")[0]
    assert {code for code in codes if f"`{code}`" not in text} == set()
    assert set(re.findall(r"^\| `([a-z-]+)`", text, re.MULTILINE)) <= codes


def test_every_warning_code_is_documented() -> None:
    codes = source_codes(r'\bWarned\(\s*"([a-z-]+)"') | source_codes(r'warnings(?:\.append\(\(|\[)"([a-z-]+)"')
    codes |= source_codes(r'\btell_once\(\s*\w+,\s*"([a-z-]+)"') | source_codes(r'return \(\("([a-z-]+)"')
    assert "record-unlisted" in codes
    text = read("exit-codes.md").partition("\n## Warnings\n")[2]
    assert {code for code in codes if f"`{code}`" not in text} == set()


def test_every_event_and_its_fields_are_documented() -> None:
    text = read("json-events.md")
    kinds = [kind for kind in vars(events).values() if isinstance(kind, type) and issubclass(kind, events.Event)]
    for kind in kinds:
        if kind is events.Event:
            continue
        name = re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()
        assert f"| `{name}` |" in text
        (example,) = re.findall(rf'^{{"event": "{name}".*}}$', text, re.MULTILINE)
        names = re.findall(r'"(\w+)":', example)
        assert names == ["event", *(field.name for field in fields(kind))]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_relative_link_leads_somewhere(document: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", document.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        place = (document.parent / path).resolve() if path else document
        assert place.exists(), f"{document.relative_to(ROOT)} links to {target}"
        if anchor:
            assert anchor in anchors(place), f"{document.relative_to(ROOT)} links to {target}"


def anchors(document: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


def test_every_document_of_ours_is_reached_from_another() -> None:
    linked = set()
    for document in DOCUMENTS:
        for target in re.findall(r"\]\(([^)#\s]+)", document.read_text(encoding="utf-8")):
            linked.add((document.parent / target).resolve())
    assert {path for path in DOCUMENTS if path not in linked and path.name != "README.md"} == set()


def test_no_tracked_file_names_the_public_registry() -> None:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listing.returncode != 0:
        pytest.skip("not a git checkout")
    hosts = [".".join(parts).encode() for parts in (("py" + "pi", "org"), ("python" + "hosted", "org"))]
    names = [name for name in listing.stdout.decode().split("\0") if name and (ROOT / name).is_file()]
    assert [name for name in names if any(host in (ROOT / name).read_bytes() for host in hosts)] == []
