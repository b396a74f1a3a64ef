"""Who is sent a password: exactly the origin it was given for, nobody else."""

from __future__ import annotations

import base64
import os
import threading
from collections.abc import Mapping

from pyvstore.events import Reporter, Warned
from pyvstore.index.urls import Credentials, Origin, origin, printable


class Keyring:
    """Credentials by origin: those that index URLs carry, then the user's netrc for the exact host.

    The ``default`` entry of a netrc is not used: it would tell every host of every link a password.
    """

    def __init__(self, reporter: Reporter, environment: Mapping[str, str] | None = None) -> None:
        self._reporter = reporter
        self._environment = os.environ if environment is None else environment
        self._known: dict[Origin, Credentials] = {}
        self._netrc: Mapping[str, Credentials] | None = None
        self._mutex = threading.Lock()

    def add(self, url: str, credentials: Credentials | None) -> None:
        """Use ``credentials`` for the origin of ``url``."""
        if credentials is not None:
            self._known[origin(url)] = credentials

    def authorization(self, where: Origin) -> str | None:
        """Return the value of the Authorization header for ``where``, or None."""
        credentials = self._known.get(where) or self._from_netrc().get(where.host)
        if credentials is None:
            return None
        token = base64.b64encode(f"{credentials.user}:{credentials.password}".encode()).decode("ascii")
        return f"Basic {token}"

    def _from_netrc(self) -> Mapping[str, Credentials]:
        with self._mutex:
            if self._netrc is None:
                self._netrc = self._read_netrc()
            return self._netrc

    def _read_netrc(self) -> Mapping[str, Credentials]:
        path = self._environment.get("NETRC") or os.path.join(
            self._environment.get("HOME") or os.path.expanduser("~"), "_netrc" if os.name == "nt" else ".netrc"
        )
        if not os.path.isfile(path):
            return {}
        import netrc

        try:
            hosts = netrc.netrc(path).hosts
        except (netrc.NetrcParseError, OSError, UnicodeDecodeError):
            # What the parser complains about may be a password: say where, not what.
            self._reporter.emit(Warned("netrc-unreadable", f"{printable(path)} cannot be read and is ignored"))
            return {}
        return {
            host.lower(): Credentials(login, password or "")
            for host, (login, _, password) in hosts.items()
            if host != "default"
        }
