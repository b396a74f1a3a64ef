"""A failed resolution as a sentence, its reasons as paths from the project, and the next thing to do.

Codes: ``no-such-project``, ``no-version`` (nothing matches), ``no-python`` (what matches needs another Python),
``no-wheel`` (what matches has no usable file), ``no-unyanked`` and ``no-final`` (what matches was withdrawn, or is a
pre-release), ``no-old-version`` (what matches is newer than ``exclude-newer``
allows), ``no-usable-version`` (broken metadata), and ``no-solution`` for requirements that contradict each other.
"""

from __future__ import annotations

from collections.abc import Sequence

from packaging.utils import NormalizedName

from pyvstore.errors import ResolutionError
from pyvstore.resolution.catalogue import Catalogue
from pyvstore.resolution.conflict import Conflict, reduce_failure
from pyvstore.resolution.diagnosis import Diagnosis, ranks_of
from pyvstore.resolution.offering import Dependency
from pyvstore.resolution.preferences import Inclinations
from pyvstore.resolution.requirement import ParsedRequirement
from pyvstore.resolution.search import Question

PLAIN_ORIGIN = "project.dependencies"

Link = tuple[str, str]


def explain(
    catalogue: Catalogue,
    question: Question,
    inclinations: Inclinations,
    origins: Sequence[tuple[Dependency, str]],
    region: int,
) -> ResolutionError:
    """Return the error for requirements that have no answer on ``region``; ``origins`` go with the question's roots."""
    conflict = reduce_failure(catalogue, question, inclinations, region)
    if conflict is None:
        return ResolutionError(
            f"no set of versions was found for {catalogue.universe.describe(region)}, and the search was given up",
            hint="add lower bounds to the requirements of your project, so that fewer old versions are considered",
        )
    roots = [(question.roots[number].parsed, origins[number][1]) for number in conflict.roots]
    diagnosis = Diagnosis(catalogue, question, inclinations, roots, conflict)
    return _Explanation(catalogue, conflict, diagnosis).error()


class _Explanation:
    def __init__(self, catalogue: Catalogue, conflict: Conflict, diagnosis: Diagnosis) -> None:
        self._catalogue = catalogue
        self._conflict = conflict
        self._diagnosis = diagnosis
        self._where = catalogue.universe.describe(conflict.mask)

    def error(self) -> ResolutionError:
        """Put the error together."""
        codes = {self._diagnosis.code(sink) for sink in self._diagnosis.sinks}
        code = codes.pop() if len(codes) == 1 else "no-solution"
        causes = ["\n".join(self._sentences())]
        remarks = [remark for name in self._diagnosis.names for remark in self._remarks(name)]
        if remarks:
            causes.append("\n".join(remarks))
        error = ResolutionError(self._message(code), code=code, causes=causes, hint=self._hint(code))
        error.unknown = tuple(self._diagnosis.sinks) if code == "no-such-project" else ()
        return error

    # --- sentences ----------------------------------------------------------------------------------------------

    def _message(self, code: str) -> str:
        sink = self._diagnosis.sinks[0]
        wanted = " or ".join(parsed.text for parsed in self._diagnosis.incoming(sink)[0])
        messages = {
            "no-such-project": f"no index has a project named {', '.join(self._diagnosis.sinks)}",
            "no-version": f"no version of {sink} matches {wanted}",
            "no-python": f"no matching version of {sink} is for {self._where}",
            "no-wheel": f"no matching version of {sink} has a usable file for {self._where}",
            "no-unyanked": f"every matching version of {sink} was yanked",
            "no-final": f"only pre-releases of {sink} match",
            "no-old-version": f"every matching version of {sink} is too new",
            "no-usable-version": f"no matching version of {sink} is usable",
        }
        return messages.get(code, f"these requirements cannot be met together on {self._where}")

    def _sentences(self) -> list[str]:
        """Return one path from the project for every end of the conflict, so that each requirement is on some path."""
        sentences = []
        told: set[tuple[str, str]] = set()
        ends = [link for link in self._conflict.links if self._is_end(link[1])]
        for link in [*ends, *self._conflict.links]:
            if link in told and link not in ends:
                continue
            steps = self._path_to(link)
            told.update(steps)
            sentences.append(self._sentence(steps))
        started = {parent for parent, _ in self._conflict.links}
        for parsed, origin in self._diagnosis.roots:
            is_told = parsed.name in started and sum(root.name == parsed.name for root, _ in self._diagnosis.roots) == 1
            is_contradicted = parsed.specifier_text and any(child == parsed.name for _, child in self._conflict.links)
            if not is_told or is_contradicted:
                sentences.append(_wants_root(parsed, origin))
        return list(dict.fromkeys(sentences))

    def _is_end(self, child: str) -> bool:
        return child in self._diagnosis.sinks or len(self._diagnosis.incoming(child)) > 1

    def _path_to(self, link: Link) -> list[Link]:
        """Return the links from a root to ``link``, itself included, by the shortest way."""
        starts = {str(parsed.name) for parsed, _ in self._diagnosis.roots}
        paths: dict[str, list[Link]] = {name: [] for name in sorted(starts)}
        pending = list(paths)
        while pending:
            name = pending.pop(0)
            for parent, child in self._conflict.links:
                if parent == name and child not in paths:
                    paths[child] = [*paths[name], (parent, child)]
                    pending.append(child)
        return [*paths[link[0]], link]

    def _sentence(self, steps: Sequence[Link]) -> str:
        first = steps[0][0]
        parsed, origin = next((parsed, origin) for parsed, origin in self._diagnosis.roots if parsed.name == first)
        parts = [_wants_root(parsed, origin)]
        asked = parsed.text
        for parent, child in steps:
            ranks = self._conflict.links[parent, child]
            texts = self._texts(parent, ranks)
            parts.append(f"{self._subject(parent, asked, ranks)} wants {texts}")
            asked = texts
        return parts[0] + "".join(f", {part}" for part in parts[1:-1]) + f", and {parts[-1]}"

    def _relevant(self, parent: str, ranks: dict[int, set[str]]) -> list[int]:
        """Return the parent's versions that this is about: those that match and have the requirement."""
        matching = [rank for rank in sorted(ranks) if self._diagnosis.matching[parent] >> rank & 1]
        return matching or sorted(ranks)

    def _texts(self, parent: str, ranks: dict[int, set[str]]) -> str:
        """Return what the relevant versions want, the newest version's wish first."""
        wishes = [" and ".join(sorted(ranks[rank])) for rank in reversed(self._relevant(parent, ranks))]
        distinct = list(dict.fromkeys(wishes))
        return " or ".join(distinct[:3]) + (" or others" if len(distinct) > 3 else "")

    def _subject(self, parent: str, asked: str, ranks: dict[int, set[str]]) -> str:
        relevant = self._relevant(parent, ranks)
        matching = [rank for rank in ranks_of(self._diagnosis.matching[parent]) if not self._is_ruled_out(parent, rank)]
        if set(matching) <= set(relevant) and " or " not in asked and " and " not in asked:
            return asked
        return self._versions(parent, relevant)

    def _is_ruled_out(self, name: str, rank: int) -> bool:
        return any(rank in ranks for ranks in self._diagnosis.rulings[name].values())

    def _versions(self, name: str, ranks: Sequence[int]) -> str:
        offering = self._catalogue.offering(NormalizedName(name))
        assert offering is not None  # noqa: S101 - it has ranks
        versions = [str(offering.releases[rank].version) for rank in sorted(ranks)]
        return f"{name} {versions[0]}" + (f" to {versions[-1]}" if len(versions) > 1 else "")

    def _remarks(self, name: str) -> list[str]:
        """Say what is known of versions of ``name`` that would match."""
        offering = self._catalogue.offering(NormalizedName(name))
        if offering is None:
            return []
        remarks = []
        if (
            name in self._diagnosis.sinks
            and not self._diagnosis.matching[name]
            and len(self._diagnosis.incoming(name)) == 1
        ):
            newest = f"the newest version of {name} is {offering.releases[-1].version}" if offering.releases else ""
            remarks.append(newest or f"{name} has no versions")
        # What is older than a version that wants the same adds nothing where the conflict is with what it wants.
        used = [rank for (parent, _), ranks in self._conflict.links.items() if parent == name for rank in ranks]
        for ruling, ranks in self._diagnosis.rulings[name].items():
            if max(ranks) < max(used, default=0):
                continue
            verb = "are" if len(ranks) > 1 else "is"
            remarks.append(f"{self._versions(name, ranks)} {verb} {ruling.phrase}")
        return remarks

    # --- hints --------------------------------------------------------------------------------------------------

    def _hint(self, code: str) -> str:
        sink = NormalizedName(self._diagnosis.sinks[0])
        policy = self._catalogue.policy
        offering = self._catalogue.offering(sink)
        if policy.offline and code in {"no-such-project", "no-version", "no-usable-version"}:
            return "only what earlier commands have fetched was looked at; try again without `--offline`"
        newest = offering.releases[-1].version if offering and offering.releases else None
        cut_off = f", or move `exclude-newer` ({policy.exclude_newer})" if policy.exclude_newer else ""
        if code == "no-wheel":
            return self._without_file(sink)
        hints = {
            "no-such-project": "check the spelling, and the indexes in [[tool.pyvstore.index]]",
            "no-version": f"ask for a version that exists{cut_off}",
            "no-python": f"use a Python that {sink} accepts, narrow `requires-python`, or allow other versions of it",
            "no-unyanked": f"to use a yanked version all the same, name it exactly: `{sink}=={newest}`",
            "no-final": 'set `prereleases = "if-necessary"` in [tool.pyvstore]',
            "no-old-version": f"move `exclude-newer` ({policy.exclude_newer}), or lift it for this package with "
            f"`exclude-newer-package = {{ {sink} = false }}` in [tool.pyvstore]",
            "no-usable-version": f"allow other versions of {sink}{cut_off}",
        }
        if code in hints:
            return hints[code]
        loosened = [f"`{parsed.text}`" for parsed, _ in self._diagnosis.roots]
        loosened += [f"`{text}` in `constraints`" for text in self._constraints_in_the_way()]
        way_out = f"{cut_off}, or {self._elsewhere()}" if self._is_partial else cut_off
        if len(loosened) == 1:
            return f"loosen or remove {loosened[0]}{way_out}"
        return f"loosen or remove one of {', '.join(loosened)}{way_out}"

    @property
    def _is_partial(self) -> bool:
        return self._conflict.mask != self._catalogue.universe.full

    def _elsewhere(self) -> str:
        """Say how to do without the environments that fail."""
        if not self._is_partial:
            return "use another Python"
        return f"leave {self._where} out with `requires-python`, or `environments` in [tool.pyvstore]"

    def _constraints_in_the_way(self) -> list[str]:
        found = []
        for name in self._diagnosis.names:
            offering = self._catalogue.offering(NormalizedName(name))
            for rank in ranks_of(self._diagnosis.matching[name]) if offering else ():
                assert offering is not None  # noqa: S101 - else there is nothing to loop over
                found.append(self._diagnosis.constraint_against(offering, rank))
        return list(dict.fromkeys(text for text in found if text))

    def _without_file(self, name: NormalizedName) -> str:
        """Say how to do without a version that has no usable file, or would have to be built."""
        offering = self._catalogue.offering(name)
        assert offering is not None  # noqa: S101 - it has versions that match
        matching = self._diagnosis.matching[name]
        prefix = ""
        if any(self._catalogue.is_source_only(offering, rank) for rank in ranks_of(matching)):
            prefix = "source distributions are not built yet: "
        if any(offering.releases[rank].wheels for rank in ranks_of(matching)) or not prefix:
            return f"{prefix}allow other versions of {name}, or {self._elsewhere()}"
        ways = [f"allow other versions of {name}"] if any(release.wheels for release in offering.releases) else []
        if any(parsed.name == name for parsed, _ in self._diagnosis.roots):
            ways.append(f"remove {name} from your project")
        else:
            ways.append(f'do without it by `exclude = ["{name}"]` in [tool.pyvstore]')
        return prefix + ", or ".join(ways)


def _wants_root(parsed: ParsedRequirement, origin: str) -> str:
    place = "" if origin == PLAIN_ORIGIN else f" (in {origin})"
    return f"your project wants {parsed.text}{place}"
