"""Which index is spoken to."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from urllib.parse import quote

from packaging.utils import NormalizedName

from pyvstore.index.urls import Credentials, split_credentials


@dataclass(frozen=True, kw_only=True, slots=True)
class IndexSpec:
    """An index as the settings name it.

    Attributes:
        url: the root of the simple API (``http``, ``https`` or ``file``); may carry credentials.
        name: what people call it in settings and messages.
    """

    url: str
    name: str

    @property
    def root(self) -> str:
        """The URL without credentials and with a trailing slash: what may be written down."""
        url, _ = split_credentials(self.url)
        return url.rstrip("/") + "/"

    @property
    def credentials(self) -> Credentials | None:
        """User and password that the URL carries."""
        return split_credentials(self.url)[1]

    @property
    def key(self) -> str:
        """A name for caches that is safe as a path component and tells nothing."""
        return hashlib.sha256(self.root.encode("utf-8", "surrogatepass")).hexdigest()[:20]

    def page_url(self, name: NormalizedName) -> str:
        """Return the address of a project's page."""
        return f"{self.root}{quote(name)}/"
