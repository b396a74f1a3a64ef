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
from pyvstore.resolution.hints import Hints
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
        hints = Hints(self._catalogue, self._conflict, self._diagnosis)
        causes = ["\n".join(self._sentences())]
        remarks = [remark for name in self._diagnosis.names for remark in self._remarks(name)]
        if remarks:
            causes.append("\n".join(remarks))
        error = ResolutionError(self._message(code), code=code, causes=causes, hint=hints.hint(code))
        error.projects = self._diagnosis.names
        error.unknown = tuple(self._diagnosis.sinks) if code == "no-such-project" else ()
        return error

    def _age_in_the_way(self, name: str) -> str:
        return "too new" if self._diagnosis.days_of_upload(name) else "of unknown age"

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
            "no-old-version": f"every matching version of {sink} is {self._age_in_the_way(sink)}",
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
                sentences.append(self._wants_root(parsed, origin))
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
        parts = [self._wants_root(parsed, origin)]
        asked = parsed.text
        for parent, child in steps:
            texts = self._texts((parent, child))
            parts.append(f"{self._subject((parent, child), asked)} wants {texts}{self._replaced(child)}")
            asked = texts
        return parts[0] + "".join(f", {part}" for part in parts[1:-1]) + f", and {parts[-1]}"

    def _wants_root(self, parsed: ParsedRequirement, origin: str) -> str:
        place = "" if origin == PLAIN_ORIGIN else f" (in {origin})"
        return f"your project wants {parsed.text}{place}{self._replaced(parsed.name)}"

    def _replaced(self, name: str) -> str:
        """Say that it is not as its author wrote it, where an override took its place."""
        return " (by `overrides`)" if self._catalogue.rewriting.overrides_of(NormalizedName(name)) else ""

    def _texts(self, link: Link) -> str:
        """Return what the relevant versions want, the newest version's wish first."""
        ranks = self._conflict.links[link]
        wishes = [" and ".join(sorted(ranks[rank])) for rank in reversed(self._diagnosis.relevant(*link))]
        distinct = list(dict.fromkeys(wishes))
        return " or ".join(distinct[:3]) + (" or others" if len(distinct) > 3 else "")

    def _subject(self, link: Link, asked: str) -> str:
        parent, relevant = link[0], self._diagnosis.relevant(*link)
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
            remark = f"{self._versions(name, ranks)} {verb} {ruling.phrase}"
            days = self._diagnosis.days_of_upload(name) if ruling.code == "no-old-version" else ()
            remarks.append(f"{remark}: uploaded {' to '.join(dict.fromkeys(days))}" if days else remark)
            made_for = self._diagnosis.made_for(offering, max(ranks)) if ruling.code == "no-wheel" else None
            if made_for:
                remarks.append(f"the wheels of {name} {offering.releases[max(ranks)].version} are for {made_for}")
        return remarks
