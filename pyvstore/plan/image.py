"""The whole farm as one value: the virtual environment, the folded packages, and the farm's own metadata."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from pyvstore.model.environment import PrefixLayout
from pyvstore.model.farm import Conflict, Directory, Edits, File, Image, Item, Link
from pyvstore.plan.fold import Folded, Library, Shape, Source, fold
from pyvstore.plan.records import RecordShape, record_shape
from pyvstore.wheel.launcher import posix_launcher, rewrite_script

TYPE_CHECKING = False  # a type only: `packaging` costs more than the rest of a relink
if TYPE_CHECKING:
    from packaging.utils import NormalizedName

INSTALLER = "pyvstore"
_DIRECTORY = Directory()


@dataclass(frozen=True, slots=True)
class FarmDesign:
    """What a farm should be.

    Attributes:
        image: every path that is ours.
        records: the RECORDs that the image links to; they must be in the store before the image is made.
        conflicts: paths that several distributions claim with different contents.
    """

    image: Image
    records: tuple[RecordShape, ...]
    conflicts: tuple[Conflict, ...]


def plan_image(
    sources: Sequence[Source],
    *,
    base: Image,
    layout: PrefixLayout,
    python: str,
    records_root: str,
    direct: Collection[NormalizedName],
    library: Library,
) -> FarmDesign:
    """Design the farm of ``sources`` (dependencies first).

    Args:
        sources: the entries.
        base: the virtual environment itself, see `plan.prefix`.
        layout: where the interpreter looks.
        python: absolute path of the environment's interpreter, for launchers.
        records_root: absolute path of the store's shelf of records.
        direct: names that the project asks for; they get a ``REQUESTED`` file.
        library: see `plan.fold`.
    """
    folded = fold(sources, layout, library)
    image: dict[str, Item] = dict(base)
    owned: dict[str, tuple[list[str], list[str]]] = {source.root: ([], []) for source in sources}
    for path, item in folded.items.items():
        if item.source is None:
            image[path] = _DIRECTORY
            continue
        links, files = owned[item.source.root]
        image[path] = made = _make(item, item.source, python, library)
        (links if isinstance(made, Link) else files).append(path)
    records = []
    for source in sources:
        links, files = owned[source.root]
        shape = _add_metadata(image, source, links, files, layout, direct)
        image[f"{_dist_info(source, layout)}/RECORD"] = Link(f"{records_root}/{shape.name}")
        records.append(shape)
    return FarmDesign(_with_ancestors(image), tuple(records), folded.conflicts)


def _make(item: Folded, source: Source, python: str, library: Library) -> Item:
    if item.shape is Shape.LINK:
        return Link(f"{source.root}/{item.path}")
    if item.launcher is not None:
        return File(posix_launcher(item.launcher, python), executable=True)
    content = library.content(source, item.path)
    if item.shape is Shape.SCRIPT:
        return File(rewrite_script(content, python), executable=True)
    executable = library.row(source, item.path).executable
    edits = Edits.KEEP if item.shape is Shape.COPY else Edits.RESTORE
    return File(content, executable=executable, edits=edits)


def _dist_info(source: Source, layout: PrefixLayout) -> str:
    return f"{layout.site_packages}/{source.manifest.dist_info}"


def _add_metadata(
    image: dict[str, Item],
    source: Source,
    links: list[str],
    files: list[str],
    layout: PrefixLayout,
    direct: Collection[NormalizedName],
) -> RecordShape:
    dist_info = _dist_info(source, layout)
    image[f"{dist_info}/INSTALLER"] = File(INSTALLER.encode() + b"\n", twin="INSTALLER")
    files.append(f"{dist_info}/INSTALLER")
    if source.manifest.name in direct:
        image[f"{dist_info}/REQUESTED"] = File(b"", twin="REQUESTED")
        files.append(f"{dist_info}/REQUESTED")
    return record_shape(source, links, files, layout)


def _with_ancestors(image: Mapping[str, Item]) -> Image:
    """Return ``image`` with every missing parent directory, sorted so that parents come before their children."""
    complete = dict(image)
    for path in image:
        parent = path.rpartition("/")[0]
        while parent and parent not in complete:
            complete[parent] = _DIRECTORY
            parent = parent.rpartition("/")[0]
    return {path: complete[path] for path in sorted(complete, key=_components)}


def _components(path: str) -> tuple[str, ...]:
    return tuple(path.split("/"))
