"""Resolve: from what the project asks to a new lockfile. The only op that speaks to the index about versions."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from pyvstore.errors import FetchError, ResolutionError, UsageError
from pyvstore.events import PackageChanged, Reporter, Resolved, Warned
from pyvstore.index.client import IndexClient
from pyvstore.index.source import IndexSource
from pyvstore.lockfile.document import DependencyEdge, LockDocument
from pyvstore.lockfile.freeze import FrozenNames, FrozenPackage, freeze
from pyvstore.lockfile.freshness import preferences
from pyvstore.lockfile.inputs import LockInputs
from pyvstore.lockfile.markers import ScopeMarkers
from pyvstore.model.artifact import Artifact
from pyvstore.ops.asking import Exclusion, Usable, lattice_of, names_of, policy_of, roots_of
from pyvstore.ops.context import Project
from pyvstore.ops.lockfiles import Question
from pyvstore.ops.obtain import SAID_BY_PAGES
from pyvstore.ops.options import NO_UPGRADE, Upgrade
from pyvstore.ops.settings import index_specs
from pyvstore.requirements.edits import closest_name
from pyvstore.resolution.answer import Edge, Resolution, ResolvedPackage
from pyvstore.resolution.engine import resolve as resolve_requirements
from pyvstore.resolution.policy import Preference
from pyvstore.resolution.universe import Universe

_SAID_BY_PAGES = SAID_BY_PAGES | {"index-metadata", "project-quarantined"}
"""Failures of the index that are gone as soon as its page is another."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A resolution that has yet to be written down; ``names`` are the project's optional parts."""

    resolution: Resolution
    names: FrozenNames

    def lowest_version(self, name: NormalizedName) -> Version | None:
        """Return the oldest version chosen of ``name``, anywhere; None when it is nowhere needed."""
        return min(
            (package.release.version for package in self.resolution.packages if package.name == name), default=None
        )

    def freeze(self, inputs: LockInputs) -> LockDocument:
        """Return the lockfile that answers ``inputs`` with this resolution."""
        resolution = self.resolution
        markers = ScopeMarkers(resolution.universe, resolution.covered, self.names.default_groups)
        return freeze(
            [_frozen(package, markers) for package in resolution.packages],
            inputs,
            environments=resolution.environments,
            requires_python=inputs.requires_python or None,
            forks=resolution.regions,
            names=self.names,
        )


def renewed(
    project: Project, asked: Question, old: LockDocument | None, upgrade: Upgrade = NO_UPGRADE
) -> tuple[LockDocument, bool]:
    """Resolve; return a lock that answers ``asked`` (``old`` where that says the same), and whether it is another."""
    answer = resolve(project, asked, old, upgrade)
    _require_known(upgrade, answer, old)
    new = answer.freeze(asked.inputs)
    return (old, False) if new == old else (new, True)


def _require_known(upgrade: Upgrade, answer: Answer, old: LockDocument | None) -> None:
    """Raise UsageError (``requirement-unknown``) for a package that neither the old lock nor the new one has."""
    known = {package.name for package in answer.resolution.packages}
    known.update(package.name for package in (old.packages if old is not None else ()))
    for name in sorted({canonicalize_name(requirement.name) for requirement in upgrade.packages} - known):
        alike = closest_name(name, known)
        raise UsageError(
            f"{name} cannot be upgraded: nothing in the project needs it",
            code="requirement-unknown",
            hint=f"did you mean `{alike}`?" if alike else "see pylock.toml for what is locked",
        )


def resolve(project: Project, asked: Question, old: LockDocument | None, upgrade: Upgrade = NO_UPGRADE) -> Answer:
    """Ask the index for versions that meet the project's requirements, keeping those of ``old`` where they do.

    Raises ResolutionError with an explanation where there are none, and FetchError where the index fails.
    """
    started = time.perf_counter()
    names = names_of(asked.requirements, asked.settings)
    try:
        resolution = _resolution(project, asked, old, upgrade)
    except ResolutionError as error:
        error.hint = _spelling(project, error.unknown) or error.hint
        raise
    project.context.reporter.emit(Resolved(len(resolution.packages), time.perf_counter() - started))
    _tell(project, resolution, old)
    return Answer(resolution, names)


def _resolution(project: Project, asked: Question, old: LockDocument | None, upgrade: Upgrade) -> Resolution:
    context = project.context
    lattice = lattice_of(asked.requirements, asked.settings)
    bounds = [requirement for requirement in upgrade.packages if requirement.specifier]
    (index, *_) = index_specs(asked.settings)
    exclusion = Exclusion.of(asked.settings, datetime.now(timezone.utc))
    keeps_old = old is not None and not upgrade.everything
    client = IndexClient(
        index,
        project.store.shelf("index"),
        offline=context.offline,
        reporter=context.reporter,
        refresh=bool(upgrade),  # who asks for what is new wants it, whatever was heard a minute ago
        patience=context.patience,
    )
    with client:

        def answer() -> Resolution:
            with IndexSource(client, usable=Usable(lattice), excluded=exclusion.excluded) as source:
                return resolve_requirements(
                    roots_of(asked.requirements),
                    universe=Universe.of(lattice),
                    source=source,
                    preferences=_kept(old, upgrade) if old is not None and keeps_old else {},
                    policy=policy_of(asked.settings, lattice, bounds=bounds, offline=context.offline),
                    regions=old.forks if old is not None and keeps_old else (),
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


def _kept(old: LockDocument, upgrade: Upgrade) -> Mapping[NormalizedName, Sequence[Preference]]:
    given_up = {canonicalize_name(requirement.name) for requirement in upgrade.packages}
    return {
        name: tuple(Preference(str(version), marker) for version, marker in found)
        for name, found in preferences(old).items()
        if name not in given_up
    }


def _spelling(project: Project, unknown: Sequence[str]) -> str | None:
    """Return a hint for names that no index has and that are spelled like one that this machine knows."""
    known = project.store.names().difference(unknown)
    alike = [found for found in (closest_name(name, known) for name in unknown) if found]
    return f"did you mean {' and '.join(f'`{name}`' for name in alike)}?" if alike else None


def tell_changes(reporter: Reporter, old: LockDocument | None, new: LockDocument) -> None:
    """Say which versions are locked now and were not, and the reverse; nothing for a first lock."""
    if old is None:
        return
    before, after = (_versions(document) for document in (old, new))
    required = [text for _, text in new.inputs.requirements] if new.inputs is not None else []
    direct = {canonicalize_name(Requirement(text).name) for text in required}
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) != after.get(name):
            reporter.emit(PackageChanged(name, before.get(name), after.get(name), direct=name in direct))


def _versions(document: LockDocument) -> dict[str, str]:
    found: dict[str, list[Version]] = {}
    for package in document.packages:
        if package.version is not None:
            found.setdefault(package.name, []).append(package.version)
    return {name: ", ".join(map(str, sorted(set(versions)))) for name, versions in found.items()}


def _tell(project: Project, resolution: Resolution, old: LockDocument | None) -> None:
    """Say what the lock does not cover, and which packages cannot be installed somewhere; each when it is news."""
    reporter = project.context.reporter
    for reason in resolution.left_out:
        reporter.emit(Warned("left-out", f"the lock leaves it out: {reason}"))
    known = {(package.name, str(package.version)) for package in old.packages} if old is not None else set()
    for package, where in resolution.without_files:
        if (package.name, package.version) not in known:
            place = resolution.universe.describe(where)
            kind = "only a source distribution" if package.sdist is not None else "no file"
            reporter.emit(Warned("no-wheel", f"{package.name} {package.version} has {kind} for {place}"))


def _frozen(package: ResolvedPackage, markers: ScopeMarkers) -> FrozenPackage:
    artifacts: Sequence[Artifact] = package.wheels if package.sdist is None else (*package.wheels, package.sdist)
    scopes = dict(package.scopes)
    return FrozenPackage(
        name=package.name,
        version=package.release.version,
        requires_python=package.requires_python,
        artifacts=tuple(artifacts),
        marker=markers.marker(scopes),
        dependencies=tuple(map(_frozen_edge, package.dependencies)),
        index_url=artifacts[0].index_url if artifacts else None,
        without_project=markers.without_project(scopes),
    )


def _frozen_edge(edge: Edge) -> DependencyEdge:
    return DependencyEdge(name=edge.name, version=Version(edge.version), marker=edge.marker)
