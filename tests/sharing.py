"""How the workers of a run share the tests: a file stays whole, and what takes long begins first.

What a module or a folder sets up for its tests is set up once, not once for each worker; a long file that begins
last would leave the other worker with nothing to do.
"""

from collections.abc import Iterable
from typing import Any, Final

import pytest
from xdist.scheduler import LoadScopeScheduling

TOGETHER: Final = ("tests/browser/",)
"""Folders that one worker runs, with one server, one directory and one browser."""
FIRST: Final = ("tests/launcher/test_lifecycle.py", "tests/browser/")
"""What takes minutes."""


def share(nodeid: str) -> str:
    """Return what a test shares a worker with: its folder, or its file."""
    path = nodeid.split("::", 1)[0]
    return next((folder for folder in TOGETHER if path.startswith(folder)), path)


def in_order(nodeids: Iterable[str]) -> list[str]:
    """Return the shares of some tests, the one to begin first at the head."""
    sizes: dict[str, int] = {}
    for nodeid in nodeids:
        sizes[share(nodeid)] = sizes.get(share(nodeid), 0) + 1
    return sorted(sizes, key=lambda name: (FIRST.index(name) if name in FIRST else len(FIRST), -sizes[name], name))


def scheduler(config: pytest.Config, log: Any) -> Any:
    """Return what gives each worker whole shares, in our order.

    xdist has groups of its own, but they are lost on the identifiers of tests since pytest 9.2.
    """
    config.option.loadscopereorder = False
    made = LoadScopeScheduling(config, log)
    made._split_scope = share
    return made


def sort(items: list[pytest.Item]) -> None:
    """Put tests in the order in which the workers take them; those of a share keep theirs."""
    order = {name: at for at, name in enumerate(in_order(item.nodeid for item in items))}
    items.sort(key=lambda item: order[share(item.nodeid)])
