"""METADATA of one file, by the cheapest way that the index offers.

1. what is cached for the wheel's hash
2. the separate file that the page announces (PEP 658, 714), its hash compared
3. the end of the wheel, by ranges: one request for most wheels
4. the whole wheel, which is kept so that it is not fetched again (`Downloader` finds it)

Of a source distribution the whole archive is fetched, and its PKG-INFO counts where it is static.

What comes by ranges is not covered by a hash; whoever later unpacks the wheel compares.
"""

from __future__ import annotations

import hashlib
from http import HTTPStatus
from urllib.parse import urlsplit, urlunsplit

from pyvstore.errors import FetchError, InternalError
from pyvstore.fs.files import rename
from pyvstore.fs.removal import remove_file
from pyvstore.fs.trouble import advice_on
from pyvstore.index.cache import IndexCache, kept_path
from pyvstore.index.download import Downloader
from pyvstore.index.promise import TELL_THE_INDEX
from pyvstore.index.ranges import LocalFile, NoRangesError, PartialFile, RemoteFile
from pyvstore.index.sdist import read_static_metadata
from pyvstore.index.transport import Transport
from pyvstore.index.urls import file_path, printable, redact
from pyvstore.model.artifact import Artifact
from pyvstore.wheel.tail import Piece, find_metadata

METADATA_BYTES_LIMIT = 32 * 1024 * 1024
TAIL_BYTES = 64 * 1024
"""Of 62 popular wheels, 52 have METADATA and their directory within this."""

_QUESTIONS_LIMIT = 5


class MetadataReader:
    """Reads METADATA of an index's wheels."""

    def __init__(self, transport: Transport, cache: IndexCache, downloader: Downloader, *, offline: bool) -> None:
        self._transport = transport
        self._cache = cache
        self._downloader = downloader
        self._offline = offline

    def read(self, artifact: Artifact) -> bytes:
        """Return METADATA as the index or the file has it.

        Raises FetchError (``offline``, ``hash-mismatch``, ``index-metadata``, ``no-such-file`` and those of
        `Transport.get`), WheelError for an archive that is none, BuildError(code="build-required") for a source
        distribution that does not say all without a build.
        """
        if artifact.url.startswith("file:"):
            path = file_path(artifact.url)
            if artifact.is_wheel:
                return self._from_archive(artifact.filename, LocalFile(path, artifact.filename))
            return read_static_metadata(path, artifact.filename)
        known = self._cache.read_metadata(artifact.sha256) if artifact.sha256 is not None else None
        if known is not None:
            return known
        if self._offline:
            raise FetchError(
                f"the metadata of {printable(artifact.filename)} is not cached",
                code="offline",
                hint="run again without `--offline`",
            )
        data = self._separate(artifact) if artifact.is_wheel else self._from_source(artifact)
        if data is None:
            try:
                data = self._from_archive(artifact.filename, RemoteFile(self._transport, artifact))
            except NoRangesError:
                data = self._from_whole(artifact)
        if artifact.sha256 is not None:
            self._cache.write_metadata(artifact.sha256, data)
        return data

    def _from_source(self, artifact: Artifact) -> bytes:
        try:
            download = self._downloader.download(artifact, self._cache.kept_directory())
        except OSError as error:
            raise _cannot_keep(artifact, error) from error
        try:
            return read_static_metadata(download.path, artifact.filename)
        finally:
            remove_file(download.path)

    def _separate(self, artifact: Artifact) -> bytes | None:
        """Return the separate metadata file; None when there is none, whatever the page says."""
        if artifact.core_metadata is None:
            return None
        parts = urlsplit(artifact.url)
        url = urlunsplit(parts._replace(path=parts.path + ".metadata"))
        answer = self._transport.get(url, {}, limit=METADATA_BYTES_LIMIT, code="index-metadata")
        if answer.status != HTTPStatus.OK:
            return None
        expected = artifact.core_metadata.get("sha256")
        received = hashlib.sha256(answer.body).hexdigest()
        if expected not in {None, received}:
            raise FetchError(
                f"{artifact.name}: the metadata of {printable(artifact.filename)} is not what was promised",
                code="hash-mismatch",
                causes=(
                    f"expected sha256 {printable(expected or '')}",
                    f"received sha256 {received}",
                    f"from {redact(url)}",
                ),
                hint=TELL_THE_INDEX,
            )
        return answer.body

    def _from_archive(self, filename: str, file: PartialFile) -> bytes:
        """Ask for the end of the archive, then for what that says; two or three questions are enough."""
        data, total_bytes = file.tail(TAIL_BYTES)
        pieces = [Piece(total_bytes - len(data), data)]
        for _ in range(_QUESTIONS_LIMIT):
            found = find_metadata(pieces, total_bytes, filename)
            if isinstance(found, bytes):
                return found
            pieces.append(Piece(found.start, file.read(found.start, found.end)))
        raise InternalError(f"the directory of {printable(filename)} is not understood")

    def _from_whole(self, artifact: Artifact) -> bytes:
        """Fetch the whole wheel, keep it for `Downloader`, and read METADATA there."""
        try:
            download = self._downloader.download(artifact, self._cache.kept_directory())
            data = self._from_archive(artifact.filename, LocalFile(download.path, artifact.filename))
            rename(download.path, kept_path(self._cache.directory, download.sha256))
        except OSError as error:
            raise _cannot_keep(artifact, error) from error
        return data


def _cannot_keep(artifact: Artifact, error: OSError) -> FetchError:
    return FetchError(
        f"{printable(artifact.filename)} cannot be kept in the cache",
        causes=(error.strerror or str(error),),
        hint=advice_on(error, "set PYVSTORE_HOME to a place that you may write, or mend the permissions"),
    )
