"""The house's own order: contracts, sizes, the README's commands, and nothing of the place it was built in."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted((ROOT / "pyvstore").rglob("*.py"))
LONGEST = 350


def tracked() -> list[str]:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listing.returncode != 0:
        pytest.skip("not a git checkout")
    return [name for name in listing.stdout.decode().split("\0") if name and (ROOT / name).is_file()]


def test_the_import_contracts_hold() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    if not linter.exists():
        pytest.skip("import-linter is not installed")
    result = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout
    assert " 0 broken" in result.stdout


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_module_says_what_it_is_for_and_fits_in_the_head(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    docstring = ast.get_docstring(ast.parse(text))
    assert docstring
    assert docstring.partition("\n")[0].endswith((".", "::", ":")), docstring.partition("\n")[0]
    assert text.count("\n") <= LONGEST


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_room_has_no_code_at_its_door(path: Path) -> None:
    if path.name != "__init__.py" or path.parent.name == "pyvstore":
        return
    body = ast.parse(path.read_text(encoding="utf-8")).body
    assert len(body) == 1
    assert isinstance(body[0], ast.Expr)


def readme_commands() -> dict[str, str]:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return dict(re.findall(r"^<!-- command: (\w+) -->\n```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))


def test_the_readme_has_the_two_commands_and_each_is_one_line_of_shell() -> None:
    commands = readme_commands()
    assert set(commands) == {"try", "test"}
    for command in commands.values():
        assert command.count("\n") == 1
        subprocess.run(["bash", "-n", "-c", command], check=True)
    assert " add numpy " in commands["try"]
    assert commands["test"].rstrip().endswith("-m pytest -q -n 2")


def test_ci_runs_the_commands_of_the_readme_and_no_copy_of_them() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    function = script[script.index("readme_command() {") : script.index("\n}\n")] + "\n}\n"
    # The function as it stands, but printing what it would run.
    function = function.replace('bash -euo pipefail -c "$command"', "true")
    for name, command in readme_commands().items():
        assert re.search(rf"\breadme_command {name}\b", script), name
        result = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", f"{function}readme_command {name}"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        assert result.stdout == command
    assert "pip install" not in script


# Put together here, so that this file does not hold them.
WORDS = {
    "a path of some machine": re.compile("/" + r"(?:work|root|home/[a-z]+/src)/(?!\.local)", re.ASCII),
    "those who wrote it": re.compile(r"\b(?:h[e]lpers?|s[e]ssions?|i[s]sues? ?#\d*)\b", re.IGNORECASE),
}
FIXTURE_SCOPE = 'scope="sess' + 'ion"'


def test_no_tracked_file_speaks_of_the_place_where_it_was_written() -> None:
    found = []
    for name in tracked():
        if name.startswith("fixtures/"):  # data: projects have names of all kinds
            continue
        text = (ROOT / name).read_bytes().decode("utf-8", "replace").replace(FIXTURE_SCOPE, "")
        for what, pattern in WORDS.items():
            for number, line in enumerate(text.splitlines(), 1):
                if pattern.search(line):
                    found.append(f"{name}:{number}: {what}: {line.strip()[:80]}")
    assert found == []
