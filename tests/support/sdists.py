"""Source distributions made in memory from text, honest or lying, byte for byte deterministic."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from collections.abc import Callable, Mapping, Sequence

SUFFIXES = (".tar.gz", ".zip", ".tar.bz2", ".tar.xz")


def pkg_info(
    name: str = "demo",
    version: str = "1.0",
    *,
    requires: Sequence[str] = (),
    extras: Mapping[str, Sequence[str]] | None = None,
    requires_python: str | None = None,
    dynamic: Sequence[str] = (),
    metadata_version: str = "2.2",
) -> bytes:
    """Return the text of a PKG-INFO."""
    lines = [f"Metadata-Version: {metadata_version}", f"Name: {name}", f"Version: {version}"]
    lines += [f"Requires-Python: {requires_python}"] if requires_python is not None else []
    lines += [f"Dynamic: {field}" for field in dynamic]
    lines += [f"Requires-Dist: {text}" for text in requires]
    for extra, texts in (extras or {}).items():
        lines.append(f"Provides-Extra: {extra}")
        lines += [f'Requires-Dist: {text} ; extra == "{extra}"' for text in texts]
    return "\n".join([*lines, "", ""]).encode()


def build_sdist(
    name: str = "demo",
    version: str = "1.0",
    *,
    suffix: str = ".tar.gz",
    files: Mapping[str, bytes] | None = None,
    info: bytes | None = None,
    **fields: object,
) -> tuple[str, bytes]:
    """Return (file name, content) of a source distribution with a static PKG-INFO.

    ``info`` takes the place of the PKG-INFO that `pkg_info` makes of ``fields``; ``files`` (path in the archive →
    content) takes the place of everything.
    """
    stem = f"{name.replace('-', '_')}-{version}"
    if files is None:
        text = pkg_info(name, version, **fields) if info is None else info  # type: ignore[arg-type]
        files = {
            f"{stem}/pyproject.toml": b'[build-system]\nrequires = []\nbuild-backend = "backend"\n',
            f"{stem}/src/demo.egg-info/PKG-INFO": b"not the one that counts",
            f"{stem}/PKG-INFO": text,
        }
    return stem + suffix, write_sdist(files, suffix)


def write_sdist(files: Mapping[str, bytes], suffix: str = ".tar.gz") -> bytes:
    """Return an archive of that kind."""
    out = io.BytesIO()
    if suffix == ".zip":
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for path, content in files.items():
                archive.writestr(zipfile.ZipInfo(path), content)
        return out.getvalue()

    def fill(archive: tarfile.TarFile) -> None:
        for path, content in files.items():
            member = tarfile.TarInfo(path)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))

    return write_tar(fill, suffix)


def write_tar(fill: Callable[[tarfile.TarFile], None], suffix: str = ".tar.gz") -> bytes:
    """Return a compressed tar archive that ``fill`` puts members into."""
    out = io.BytesIO()
    if suffix == ".tar.gz":
        with (
            gzip.GzipFile(fileobj=out, mode="wb", mtime=0) as stream,
            tarfile.open(fileobj=stream, mode="w") as archive,
        ):
            fill(archive)
    else:
        mode = "w:bz2" if suffix == ".tar.bz2" else "w:xz"
        with tarfile.open(fileobj=out, mode=mode) as archive:  # type: ignore[call-overload]
            fill(archive)
    return out.getvalue()
