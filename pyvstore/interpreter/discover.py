"""Choose the Python that a project gets, and say what was found when none fits.

Order of preference: the Python that was asked for; the one that the project's ``.python-version`` names, if it is there
and fits; the first ``python3`` on PATH that fits, because that is the one that a person gets who types it; the newest
final CPython that fits. The caller may prefer some Pythons to others, as those that the lockfile covers. A pre-release,
a free-threaded build or PyPy is taken from outside PATH only when it was asked for.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from pyvstore.errors import InterpreterError
from pyvstore.interpreter.cache import InterpreterCache
from pyvstore.interpreter.places import (
    NEWEST_MINOR,
    OLDEST_MINOR,
    Candidate,
    Surroundings,
    everywhere,
    is_program,
    on_path,
    program_at,
    pyenv_version_directory,
    read_version_file,
)
from pyvstore.interpreter.probe import base_of
from pyvstore.interpreter.request import (
    NO_REQUEST,
    PythonRequest,
    is_free_threaded,
    may_contain,
    parse_request,
    parse_version_request,
)
from pyvstore.model.environment import Interpreter
from pyvstore.model.platforms import NEWEST_PYTHON

VERSION_FILE = ".python-version"
_SHOWN = 12


@dataclass(slots=True)
class _Search:
    """One attempt: what will do, and why each Python that was looked at will not (by its real path)."""

    request: PythonRequest
    requires_python: SpecifierSet
    cache: InterpreterCache
    preferred: Callable[[Interpreter], bool] | None = None
    reasons: dict[str, str] = field(default_factory=dict)

    def refuse(self, path: str, reason: str) -> None:
        self.reasons.setdefault(os.path.realpath(base_of(path)), f"{path}: {reason}")

    def refusal_of_series(self, minor: tuple[int, int]) -> str | None:
        """Return why no version of the series will do, so that its Pythons need not be asked."""
        series = f"Python {minor[0]}.{minor[1]} is"
        if minor < (3, OLDEST_MINOR):
            return f"{series} older than 3.{OLDEST_MINOR}"
        if not self.request.may_allow(minor):
            return f"{series} not {self.request.text}"
        if not may_contain(self.requires_python, minor):
            return f"{series} outside requires-python {self.requires_python}"
        return None

    def accept(self, candidate: Candidate) -> Interpreter | None:
        """Return the candidate's interpreter if it will do; keep the reason if not."""
        interpreter = self.look(candidate)
        if interpreter is None:
            return None
        reason = self.request.refusal(interpreter)
        if reason is None and not _fits(interpreter, self.requires_python):
            reason = f"outside requires-python {self.requires_python}"
        if reason is None and self.preferred is not None and not self.preferred(interpreter):
            reason = "not a preferred one"
        if reason is None:
            return interpreter
        self.refuse(candidate.path, f"{interpreter.implementation} {interpreter.version} is {reason}")
        return None

    def look(self, candidate: Candidate) -> Interpreter | None:
        try:
            return self.cache.get(candidate.path)
        except InterpreterError as error:
            self.refuse(candidate.path, "; ".join(error.causes) or error.message)
            return None


def _fits(interpreter: Interpreter, requires_python: SpecifierSet) -> bool:
    # A pre-release of 3.15 has what 3.15 has, as far as `>=3.15` is concerned.
    return requires_python.contains(Version(interpreter.version).base_version, prereleases=True)


def find_interpreter(
    request: str | None,
    requires_python: SpecifierSet | None,
    surroundings: Surroundings,
    cache: InterpreterCache,
    *,
    project: str | None = None,
    preferred: Callable[[Interpreter], bool] | None = None,
) -> Interpreter:
    """Return the Python to use.

    Args:
        request: the value of ``--python``; None when nothing was asked for.
        requires_python: what the project says of itself.
        surroundings: where to look.
        cache: what is known of this machine's Pythons; asks those that it does not know.
        project: the project's folder, whose ``.python-version`` counts.
        preferred: where nothing names a Python, those for which this holds go before all others.

    Raises:
        InterpreterError: ``no-python`` when none fits, with what was found and why each did not; ``python-excluded``
            when the very Python that was asked for does not fit ``requires-python``; ``python-broken`` or
            ``python-unsupported`` when it does not work.
        UsageError: ``python-request`` when the request cannot be read.
    """
    required = requires_python or SpecifierSet()
    if request is not None:
        wanted = parse_request(request)
        if wanted.place is not None:
            return _named(wanted.place, required, surroundings, cache)
        return _require(_Search(wanted, required, cache), surroundings)
    for pinned in _pinned(project, surroundings, cache):
        found = pinned if isinstance(pinned, Interpreter) else _find(_Search(pinned, required, cache), surroundings)
        if found is not None and _fits(found, required):
            return found
    best = _find(_Search(NO_REQUEST, required, cache, preferred), surroundings) if preferred is not None else None
    return best or _require(_Search(NO_REQUEST, required, cache), surroundings)


def _pinned(
    project: str | None, surroundings: Surroundings, cache: InterpreterCache
) -> Iterator[Interpreter | PythonRequest]:
    """Yield what the project's ``.python-version`` names: pyenv's versions as they are, others as requests.

    The file comes with the project, so it may choose among this machine's Pythons but not name a program.
    """
    for word in read_version_file(os.path.join(project, VERSION_FILE)) if project else ():
        request = parse_version_request(word)
        directory = pyenv_version_directory(surroundings, word)
        if directory is not None:
            path = _python_in(directory)
            interpreter = path and _Search(NO_REQUEST, SpecifierSet(), cache).look(Candidate(path))
            if interpreter:
                yield interpreter
        if request is not None:
            yield request
            exact = [part.version for part in request.specifier if part.operator == "==" and part.version[-1] != "*"]
            if exact:
                # The patch that the file names is not here; another of its series is nearer than any other.
                series = ".".join(map(str, Version(exact[0]).release[:2]))
                yield replace(request, specifier=SpecifierSet(f"=={series}.*"), prereleases=False)


def _named(place: str, required: SpecifierSet, surroundings: Surroundings, cache: InterpreterCache) -> Interpreter:
    """Return the Python at a path, in a directory, or of a name on PATH."""
    expanded = surroundings.home + place[1:] if place.startswith("~") and surroundings.home else place
    absolute = os.path.normpath(os.path.join(surroundings.directory, expanded))
    path = _python_in(absolute) if os.path.isdir(absolute) else _program(surroundings, absolute)
    if path is None and os.path.basename(place) == place:
        path = next((candidate.path for candidate in on_path(surroundings, (place,))), None)
    hint = "`--python 3.12` looks for a Python by its version"
    if path is None:
        raise InterpreterError(f"there is no Python at {place}", code="no-python", hint=hint)
    try:
        interpreter = cache.get(path)
    except InterpreterError as error:
        raise InterpreterError(error.message, code=error.code, causes=error.causes, hint=hint) from error
    if not _fits(interpreter, required):
        raise InterpreterError(
            f"{place} is Python {interpreter.version}, but the project requires {required}",
            code="python-excluded",
            hint="name another Python with `--python`, or change requires-python in pyproject.toml",
        )
    return interpreter


def _program(surroundings: Surroundings, path: str) -> str | None:
    candidate = program_at(surroundings, os.path.dirname(path), os.path.basename(path))
    return candidate.path if candidate else None


def _python_in(directory: str) -> str | None:
    """Return the Python of a virtual environment or of an installation."""
    names = ("bin/python", "bin/python3", "bin/pypy3", "Scripts/python.exe", "python.exe", "python3", "python")
    paths = (os.path.join(directory, *name.split("/")) for name in names)
    return next((path for path in paths if is_program(path)), None)


def _find(search: _Search, surroundings: Surroundings) -> Interpreter | None:
    series = {part.version.removesuffix(".*") for part in search.request.specifier if part.operator == "=="}
    exact = sorted({".".join(version.split(".")[:2]) for version in series})
    stem = "pypy" if search.request.implementation == "PyPy" else "python"
    flag = "t" if search.request.free_threaded else ""
    names = (*(f"{stem}{version}{flag}" for version in exact), f"{stem}3", stem, "python.exe")
    fallback: Interpreter | None = None
    for candidate in _unseen(on_path(surroundings, names)):
        found = search.accept(candidate)
        if found is not None and not Version(found.version).is_prerelease:
            return found
        fallback = fallback or found
    return _newest(search, surroundings) or fallback


def _newest(search: _Search, surroundings: Surroundings) -> Interpreter | None:
    """Return the newest final version that fits, else the newest pre-release; the first found of equal ones."""
    series: dict[tuple[int, int], list[Candidate]] = {}
    for candidate in _unseen(everywhere(surroundings)):
        minor = candidate.minor
        if minor is None:
            interpreter = search.look(candidate)
            if interpreter is None:
                continue
            minor = Version(interpreter.version).release[0], Version(interpreter.version).release[1]
        series.setdefault(minor, []).append(candidate)
    newest_prerelease: Interpreter | None = None
    for minor in sorted(series, reverse=True):
        refusal = search.refusal_of_series(minor)
        if refusal is not None:
            for candidate in series[minor]:
                search.refuse(candidate.path, refusal)
            continue
        fitting = [found for found in map(search.accept, series[minor]) if found is not None]
        usual = [found for found in fitting if _is_usual(search, found)]
        best = max(usual, key=lambda found: Version(found.version), default=None)
        if best is not None and not Version(best.version).is_prerelease:
            return best
        newest_prerelease = newest_prerelease or best
    return newest_prerelease


def _is_usual(search: _Search, interpreter: Interpreter) -> bool:
    """Tell whether nothing about the interpreter has to be asked for; keep the reason if something has."""
    request, kind = search.request, f"{interpreter.implementation} {interpreter.version}"
    if interpreter.implementation != "CPython" and request.implementation is None:
        search.refuse(interpreter.executable, f"{kind} must be asked for with `--python pypy`")
        return False
    if is_free_threaded(interpreter) and not request.free_threaded:
        minor = interpreter.environment.python_minor
        search.refuse(
            interpreter.executable, f"{kind} is free-threaded, which must be asked for with `--python {minor}t`"
        )
        return False
    return True


def _unseen(candidates: Iterable[Candidate]) -> Iterator[Candidate]:
    """Yield each binary once, under the first name by which it was found."""
    seen: set[str] = set()
    for candidate in candidates:
        real = os.path.realpath(base_of(candidate.path))
        if real not in seen:
            seen.add(real)
            yield candidate


def _require(search: _Search, surroundings: Surroundings) -> Interpreter:
    found = _find(search, surroundings)
    if found is not None:
        return found
    wanted = [f"Python {search.request.text}"] if search.request.text else []
    if str(search.requires_python):
        wanted.append(f"requires-python {search.requires_python}")
    reasons = list(search.reasons.values())
    if len(reasons) > _SHOWN:
        reasons[_SHOWN - 1 :] = [f"and {len(reasons) - _SHOWN + 1} more"]
    raise InterpreterError(
        f"no Python on this machine fits {' and '.join(wanted)}" if wanted else "there is no Python on this machine",
        code="no-python",
        causes=reasons,
        hint=_hint(search, surroundings),
    )


def _hint(search: _Search, surroundings: Surroundings) -> str:
    other = "or name a Python with `--python /path/to/python`"
    if search.request.implementation == "PyPy":
        return f"install PyPy, {other}"
    known = range(NEWEST_PYTHON[1], OLDEST_MINOR - 1, -1)
    coming = range(NEWEST_PYTHON[1] + 1, NEWEST_MINOR + 1)
    minor = next((minor for minor in (*known, *coming) if search.refusal_of_series((3, minor)) is None), None)
    if minor is not None:
        version = f"3.{minor}{'t' if search.request.free_threaded else ''}"
        if surroundings.pyenv_root is not None:
            return f"run `pyenv install {version}`, {other}"
        return f"install Python {version}, {other}"
    if any(search.request.may_allow((3, minor)) for minor in (*known, *coming)):
        return "change requires-python in pyproject.toml, or ask for a Python that it allows"
    return f"ask for Python 3.{OLDEST_MINOR} or later: environments of older ones are not supported"
