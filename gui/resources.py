"""Where the files that come with the program lie: in a checkout and in an installed package.

In a checkout `resources/` stands beside `gui/`. An installed Matrizen is one private folder
`matrizen/` that holds `gui`, `engine` and `resources` side by side, so the same step up from this
file finds it; an unusual layout can still be reached through the package `matrizen`.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path


@lru_cache(maxsize=1)
def root() -> Path:
    """The folder `resources`. Raises FileNotFoundError when the installation is incomplete."""
    candidates = [Path(__file__).resolve().parent.parent / "resources"]
    package = find_spec("matrizen")
    if package is not None and package.submodule_search_locations:
        candidates += [Path(place) / "resources" for place in package.submodule_search_locations]
    for candidate in candidates:
        if (candidate / "icons").is_dir() or (candidate / "fonts").is_dir():
            return candidate
    raise FileNotFoundError(f"Matrizen's resources folder is missing; looked in {candidates}")


def path(*parts: str) -> Path:
    """A file or folder inside `resources`; it need not exist."""
    return root().joinpath(*parts)
