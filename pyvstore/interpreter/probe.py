"""Ask a Python what it is: start it once, isolated and with a time limit, and make an `Interpreter` of the answer."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import IO, Any

from pyvstore.errors import InterpreterError
from pyvstore.glance import fingerprint
from pyvstore.model.environment import Interpreter, PrefixLayout, TargetEnvironment
from pyvstore.model.tags import linux_platforms, macos_platforms, supported_tags, windows_platforms

TIMEOUT_SECONDS = 8.0
OLDEST_VERSION = (3, 8)
_ANSWER_LIMIT_BYTES = 256 * 1024
_THIRTY_TWO_BIT = {"x86_64": "i686", "aarch64": "armv8l"}


def probe(executable: str, *, timeout_seconds: float = TIMEOUT_SECONDS) -> Interpreter:
    """Start ``executable`` (absolute) and return what it says of itself.

    A virtual environment's Python stands for the one that it was made from.

    Raises InterpreterError: ``python-broken`` when it does not start, does not answer in time or answers nonsense,
    ``python-unsupported`` when it is too old or neither CPython nor PyPy. A process that does not end is killed with
    everything that it started.
    """
    executable = base_of(executable)
    facts = _parse(executable, _run(executable, timeout_seconds))
    version = facts.get("version")
    implementation = facts.get("implementation")
    if not isinstance(version, list) or not all(isinstance(part, int) for part in version[:2]):
        raise _broken(executable, "its answer has no version")
    if tuple(version[:2]) < OLDEST_VERSION:
        raise InterpreterError(
            f"{executable} is Python {'.'.join(map(str, version[:3]))}, which is older than 3.8",
            code="python-unsupported",
        )
    if implementation not in {"CPython", "PyPy"}:
        raise InterpreterError(
            f"{executable} is {implementation}, which is neither CPython nor PyPy", code="python-unsupported"
        )
    try:
        return _interpreter(executable, facts)
    except (KeyError, TypeError, ValueError, AttributeError, OSError) as error:
        raise _broken(executable, f"its answer makes no sense: {error!r}") from error


def base_of(executable: str) -> str:
    """Return the Python that ``executable`` was made from when it stands in a virtual environment, else itself."""
    for _ in range(8):  # an environment made from an environment's Python leads on; a circle leads nowhere
        home = _home_of_environment(executable)
        if home is None:
            return executable
        real = os.path.realpath(executable)
        environment = os.path.realpath(os.path.dirname(os.path.dirname(executable)))
        if not real.startswith(os.path.join(environment, "")):
            return real
        names = (os.path.basename(executable), "python3", "python", "python.exe", "pypy3")
        found = (os.path.join(home, name) for name in names if os.path.isfile(os.path.join(home, name)))
        executable = next(found, executable)
    return executable


def _home_of_environment(executable: str) -> str | None:
    directory = os.path.dirname(executable)
    for place in (directory, os.path.dirname(directory)):
        try:
            with open(os.path.join(place, "pyvenv.cfg"), "rb") as stream:
                text = stream.read(64 * 1024).decode("utf-8", "surrogateescape")
        except OSError:
            continue
        match = re.search(r"^\s*home\s*=\s*(.+?)\s*$", text, re.MULTILINE | re.IGNORECASE)
        if match:
            return match[1]
    return None


def _run(executable: str, timeout_seconds: float) -> bytes:
    with open(os.path.join(os.path.dirname(__file__), "target.py"), encoding="utf-8") as stream:
        program = stream.read()
    try:
        process = subprocess.Popen(
            [executable, "-I", "-S", "-E", "-c", program],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_environment(),
            start_new_session=os.name == "posix",
        )
    except (OSError, ValueError) as error:
        raise _broken(executable, f"it does not start: {getattr(error, 'strerror', None) or error}") from error
    answers: list[bytes] = [b"", b""]
    readers = [
        threading.Thread(target=_read_into, args=(answers, index, stream), daemon=True)
        for index, stream in enumerate((process.stdout, process.stderr))
    ]
    for reader in readers:
        reader.start()
    try:
        code = process.wait(timeout_seconds)
    except subprocess.TimeoutExpired:
        raise _broken(executable, f"it did not answer within {timeout_seconds:g} s") from None
    finally:
        _end(process)
        for reader in readers:
            reader.join(1.0)
    if code != 0:
        lines = answers[1].decode("utf-8", "replace").strip().splitlines()
        said = "".join(character for character in (lines[0] if lines else "") if character.isprintable())[:200]
        raise _broken(executable, f"it ended with status {code}" + (f": {said}" if said else ""))
    return answers[0]


def _environment() -> dict[str, str]:
    """Return the variables for the other Python: none that bend an interpreter, and the true version of macOS."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "__PYVENV"))}
    return {**kept, "SYSTEM_VERSION_COMPAT": "0"}


def _read_into(answers: list[bytes], index: int, stream: IO[bytes]) -> None:
    # Reading stops at the limit: who says more than that is no Python, and must not fill the memory.
    answers[index] = stream.read(_ANSWER_LIMIT_BYTES)
    stream.close()


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the process and whatever it has started and left behind."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _parse(executable: str, answer: bytes) -> Mapping[str, Any]:
    lines = answer.decode("utf-8", "replace").strip().splitlines()
    try:
        facts = json.loads(lines[-1])
    except (IndexError, ValueError, RecursionError):
        raise _broken(executable, "it did not answer like a Python") from None
    if not isinstance(facts, dict):
        raise _broken(executable, "it did not answer like a Python")
    return facts


def _interpreter(executable: str, facts: Mapping[str, Any]) -> Interpreter:
    real = os.path.realpath(str(facts["executable"]))
    if not real.isprintable():
        raise ValueError(real)
    markers = {str(name): str(value) for name, value in facts["markers"].items()}
    # Builds from a repository call themselves "3.14.0a1+", which is no version (PEP 440).
    markers["python_full_version"] = markers["python_full_version"].rstrip("+")
    version = facts["version"][0], facts["version"][1]
    tags = supported_tags(
        implementation=markers["implementation_name"],
        python_version=version,
        abi=_abi(facts, version),
        platforms=_platforms(facts),
        free_threaded=facts["free_threaded"],
    )
    return Interpreter(
        executable=executable,
        real_executable=real,
        home=os.path.dirname(real),
        implementation=facts["implementation"],
        version=markers["python_full_version"],
        layout=_layout(facts["paths"], version),
        environment=TargetEnvironment(markers=markers, tags=tags),
        fingerprint=fingerprint(real),
    )


def _abi(facts: Mapping[str, Any], version: Sequence[int]) -> str | None:
    if facts["implementation"] == "CPython":
        flags = "t" * facts["free_threaded"] + "d" * facts["debug"]
        return f"cp{version[0]}{version[1]}{flags}"
    # PyPy names its ABI in the suffix of its extension modules: ".pypy310-pp73-x86_64-linux-gnu.so".
    match = re.match(r"\.?(pypy[0-9]+)-(pp[0-9]+)", facts["extension_suffix"] or "")
    return f"{match[1]}_{match[2]}" if match else None


def _platforms(facts: Mapping[str, Any]) -> tuple[str, ...]:
    system = facts["markers"]["sys_platform"]
    platform = str(facts["platform"])
    if system == "win32":
        return windows_platforms({"win-amd64": "AMD64", "win-arm64": "ARM64"}.get(platform, "x86"))
    if system == "darwin":
        numbers = str(facts["macos"]).split(".")
        release = int(numbers[0]), int(numbers[1]) if len(numbers) > 1 else 0
        return macos_platforms(release, facts["markers"]["platform_machine"])
    name, _, machine = platform.partition("-")
    machine = re.sub(r"[-.]", "_", machine)
    if name != "linux":
        return (f"{name}_{machine}",)
    if facts["bits"] == 32:
        machine = _THIRTY_TWO_BIT.get(machine, machine)
    glibc = _version_pair(facts["glibc"])
    # The manylinux tags of 32-bit ARM mean the hard-float ABI.
    if machine in {"armv7l", "armv8l"} and not str(facts["soabi"]).endswith("gnueabihf"):
        glibc = None
    return linux_platforms(machine, glibc=glibc, musl=_version_pair(facts["musl"]))


def _version_pair(text: object) -> tuple[int, int] | None:
    match = re.match(r"([0-9]+)\.([0-9]+)", str(text or ""))
    return (int(match[1]), int(match[2])) if match else None


def _layout(paths: Mapping[str, str], version: Sequence[int]) -> PrefixLayout:
    pure, plat, scripts = (_below_prefix(paths[name]) for name in ("purelib", "platlib", "scripts"))
    return PrefixLayout(
        site_packages=pure,
        scripts=scripts,
        headers=f"include/site/python{version[0]}.{version[1]}",
        lib64_link=plat != pure and plat.startswith("lib64/"),
    )


def _below_prefix(path: str) -> str:
    """Return what follows the placeholder prefix of `pyvstore.interpreter.target`, as a POSIX path."""
    parts = re.split(r"[\\/]", re.sub(r"^[A-Za-z]:", "", path))
    if len(parts) < 3 or parts[:2] != ["", "P"] or ".." in parts or not all(parts[2:]):
        raise ValueError(path)
    return "/".join(parts[2:])


def _broken(executable: str, reason: str) -> InterpreterError:
    return InterpreterError(f"{executable} cannot be used", code="python-broken", causes=[reason])
