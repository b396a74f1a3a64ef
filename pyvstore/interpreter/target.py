"""Runs inside the Python that is asked about (3.6 or later, any implementation) and prints one line of JSON.

Its text is handed over with ``-c``, so it may import nothing but the standard library, and its syntax must be old.
"""

import json
import os
import platform
import sys
import sysconfig

PREFIX = os.path.abspath(os.sep + "P")


def describe() -> "dict[str, object]":
    """Return everything that the tool wants to know; only the version where that is too old for the rest."""
    facts = {}  # type: dict[str, object]
    facts["version"] = list(sys.version_info)
    facts["implementation"] = platform.python_implementation()
    if sys.version_info >= (3, 8):  # noqa: UP036 - this file runs in other Pythons than the tool's
        facts["executable"] = getattr(sys, "_base_executable", None) or sys.executable
        facts["markers"] = describe_markers()
        facts["paths"] = describe_paths()
        facts["platform"] = sysconfig.get_platform()
        facts["bits"] = 64 if sys.maxsize > 2**32 else 32
        facts["soabi"] = sysconfig.get_config_var("SOABI")
        facts["extension_suffix"] = sysconfig.get_config_var("EXT_SUFFIX")
        facts["free_threaded"] = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
        facts["debug"] = is_debug_build()
        facts["macos"] = platform.mac_ver()[0]
        facts["glibc"] = glibc_version()
        facts["musl"] = None if facts["glibc"] or sys.platform != "linux" else musl_version(musl_loader())
    return facts


def describe_markers() -> "dict[str, str]":
    """Return the eleven variables of PEP 508."""
    implementation = sys.implementation.version
    version = ".".join(str(part) for part in implementation[:3])
    if implementation.releaselevel != "final":
        version += implementation.releaselevel[0] + str(implementation.serial)
    return {
        "implementation_name": sys.implementation.name,
        "implementation_version": version,
        "os_name": os.name,
        "platform_machine": platform.machine(),
        "platform_python_implementation": platform.python_implementation(),
        "platform_release": platform.release(),
        "platform_system": platform.system(),
        "platform_version": platform.version(),
        "python_full_version": platform.python_version(),
        "python_version": ".".join(platform.python_version_tuple()[:2]),
        "sys_platform": sys.platform,
    }


def describe_paths() -> "dict[str, str]":
    """Return where a virtual environment at `PREFIX` has its things."""
    # Distributions bend the default scheme ("dist-packages"); environments have had their own since 3.11.
    scheme = "venv" if "venv" in sysconfig.get_scheme_names() else "nt" if os.name == "nt" else "posix_prefix"
    bases = dict.fromkeys(("base", "platbase", "installed_base", "installed_platbase"), PREFIX)
    return {name: sysconfig.get_path(name, scheme, bases) for name in ("purelib", "platlib", "scripts")}


def is_debug_build() -> bool:
    """Tell whether extension modules need the ABI of debug builds."""
    flag = sysconfig.get_config_var("Py_DEBUG")
    return bool(flag) if flag is not None else hasattr(sys, "gettotalrefcount")


def glibc_version() -> "str | None":
    """Return the version of the GNU C library that runs this process, None for any other C library."""
    try:
        return (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")[2] or None
    except (AttributeError, ValueError, OSError):
        return None


def musl_loader() -> "str | None":
    """Return the path of musl's loader when it runs this process."""
    try:
        with open("/proc/self/maps", encoding="utf-8", errors="replace") as stream:
            paths = [line.split(None, 5)[-1].strip() for line in stream]
    except OSError:
        return None
    return next((path for path in paths if "ld-musl-" in path), None)


def musl_version(loader: "str | None") -> "str | None":
    """Return what musl's loader says of itself; it has no other way of telling its version."""
    if loader is None:
        return None
    import subprocess

    result = subprocess.run([loader], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    for line in result.stderr.decode("utf-8", "replace").splitlines():
        if line.startswith("Version "):
            return line[8:].strip()
    return None


if __name__ == "__main__":
    sys.stdout.write("\n" + json.dumps(describe()) + "\n")
