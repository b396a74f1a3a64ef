"""Resolve: from what the project asks to a new lockfile. The only op that speaks to the index about versions."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from packaging.specifiers import InvalidSpecifier
from packaging.utils import NormalizedName
from packaging.version import Version

from pyvstore.errors import FetchError, ResolutionError
from pyvstore.events import Resolved
from pyvstore.index.client import IndexClient
from pyvstore.index.source import IndexSource
from pyvstore.lockfile.document import DependencyEdge, LockDocument
from pyvstore.lockfile.freeze import FrozenPackage, freeze
from pyvstore.lockfile.freshness import explain_stale, preferences
from pyvstore.lockfile.inputs import LockInputs
from pyvstore.model.artifact import Artifact
from pyvstore.model.environment import TargetEnvironment
from pyvstore.model.foreign import parse_specifiers
from pyvstore.ops.context import Project
from pyvstore.ops.lockfiles import Question
from pyvstore.ops.settings import index_specs
from pyvstore.requirements.edits import closest_name
from pyvstore.resolution.answer import Edge, Resolution, ResolvedPackage
from pyvstore.resolution.engine import resolve as resolve_requirements
from pyvstore.resolution.policy import Policy, Preference, Prereleases, RootRequirement, Strategy
from pyvstore.resolution.universe import Universe

_SAID_BY_PAGES = frozenset({"hash-mismatch", "index-metadata", "no-such-file", "project-quarantined"})
"""Failures of the index that are gone as soon as its page is another."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A resolution that has yet to be written down."""

    resolution: Resolution

    def lowest_version(self, name: NormalizedName) -> Version | None:
        """Return the oldest version chosen of ``name``, anywhere; None when it is nowhere needed."""
        return min(
            (package.release.version for package in self.resolution.packages if package.name == name), default=None
        )

    def freeze(self, inputs: LockInputs) -> LockDocument:
        """Return the lockfile that answers ``inputs`` with this resolution."""
        packages = [_frozen(package) for package in self.resolution.packages]
        return freeze(
            packages,
            inputs,
            environments=inputs.environments,
            requires_python=inputs.requires_python or None,
            forks=self.resolution.regions,
        )


def fresh_lock(project: Project, asked: Question, old: LockDocument | None) -> tuple[LockDocument, bool]:
    """Return a lock that answers ``asked`` (``old`` if it does), and whether it is new and has yet to be written."""
    if old is not None and not explain_stale(old, asked.inputs):
        return old, False
    return resolve(project, asked, old).freeze(asked.inputs), True


def resolve(project: Project, asked: Question, old: LockDocument | None) -> Answer:
    """Ask the index for versions that meet the project's requirements, keeping those of ``old`` where they do.

    Raises ResolutionError with an explanation where there are none, and FetchError where the index fails.
    """
    started = time.perf_counter()
    try:
        resolution = _resolution(project, asked, preferences(old) if old is not None else {})
    except ResolutionError as error:
        error.hint = _spelling(project, error.unknown) or error.hint
        raise
    project.context.reporter.emit(Resolved(len(resolution.packages), time.perf_counter() - started))
    return Answer(resolution)


def _resolution(project: Project, asked: Question, kept: Mapping[NormalizedName, Sequence[Version]]) -> Resolution:
    context = project.context
    roots = [RootRequirement(requirement=requirement) for requirement in asked.requirements.dependencies]
    (index, *_) = index_specs(asked.settings)
    fits = _Fits(asked.environment)
    preferred = {name: tuple(Preference(str(version)) for version in found) for name, found in kept.items()}
    policy = Policy(
        prereleases=Prereleases(asked.settings.prereleases),
        strategy=Strategy(asked.settings.resolution),
        offline=context.offline,
    )
    shelf = project.store.shelf("index")
    with IndexClient(index, shelf, offline=context.offline, reporter=context.reporter) as client:

        def answer() -> Resolution:
            with IndexSource(client, usable=fits.usable) as source:
                return resolve_requirements(
                    roots,
                    universe=Universe((asked.environment,)),
                    source=source,
                    preferences=preferred,
                    policy=policy,
                    reporter=context.reporter,
                )

        return _twice(answer, client)


def _twice(answer: Callable[[], Resolution], client: IndexClient) -> Resolution:
    """Return the answer; before it is a refusal, ask again for the pages that were believed without asking."""
    try:
        resolution = answer()
        if all(map(_is_lockable, resolution.packages)) or not client.distrust():
            return resolution
    except ResolutionError:
        if not client.distrust():
            raise
    except FetchError as error:
        if error.code not in _SAID_BY_PAGES or not client.distrust():
            raise
    return answer()


def _is_lockable(package: ResolvedPackage) -> bool:
    return all(artifact.sha256 is not None for artifact in (*package.wheels, package.sdist) if artifact is not None)


def _spelling(project: Project, unknown: Sequence[str]) -> str | None:
    """Return a hint for names that no index has and that are spelled like one that this machine knows."""
    known = project.store.names().difference(unknown)
    alike = [found for found in (closest_name(name, known) for name in unknown) if found]
    return f"did you mean {' and '.join(f'`{name}`' for name in alike)}?" if alike else None


class _Fits:
    """Whether a file serves the environment: what the index room guesses by."""

    def __init__(self, environment: TargetEnvironment) -> None:
        self._tags = frozenset(environment.tags)
        self._python = environment.python_full_version

    def usable(self, artifact: Artifact) -> bool:
        if not artifact.is_wheel or artifact.yanked is not None:
            return False
        *_, pythons, abis, platforms = artifact.filename.removesuffix(".whl").rsplit("-", 3)
        tags = (
            f"{python}-{abi}-{platform}"
            for python in pythons.split(".")
            for abi in abis.split(".")
            for platform in platforms.split(".")
        )
        return any(tag in self._tags for tag in tags) and self._runs_on(artifact.requires_python)

    def _runs_on(self, requires_python: str | None) -> bool:
        try:
            return not requires_python or parse_specifiers(requires_python).contains(self._python, prereleases=True)
        except InvalidSpecifier:
            return True


def _frozen(package: ResolvedPackage) -> FrozenPackage:
    artifacts: Sequence[Artifact] = package.wheels if package.sdist is None else (*package.wheels, package.sdist)
    return FrozenPackage(
        name=package.name,
        version=package.release.version,
        requires_python=package.requires_python,
        artifacts=tuple(artifacts),
        marker=package.marker,
        dependencies=tuple(map(_frozen_edge, package.dependencies)),
        index_url=artifacts[0].index_url if artifacts else None,
    )


def _frozen_edge(edge: Edge) -> DependencyEdge:
    return DependencyEdge(name=edge.name, version=Version(edge.version), marker=edge.marker)
