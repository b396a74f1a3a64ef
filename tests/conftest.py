import signal

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--network", action="store_true", help="run the tests that need a real package registry")


def pytest_configure() -> None:
    # Started in the background by a shell, pytest inherits that interrupts are ignored, and so would what it starts.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--network"):
        return
    selected = [item for item in items if item.get_closest_marker("network") is None]
    deselected = [item for item in items if item.get_closest_marker("network") is not None]
    items[:] = selected
    if deselected:
        config.hook.pytest_deselected(items=deselected)
