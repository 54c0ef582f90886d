"""In the child: the packages that an answer may import, each from its own folder and no other."""

import importlib.util
import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import PurePath
from typing import Any


class Allowed(MetaPathFinder):
    """Finds packages whose folders are known, without looking into the folder above them."""

    def __init__(self, folders: dict[str, str]) -> None:
        self.folders = folders

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> ModuleSpec | None:
        """As importlib asks."""
        folder = self.folders.get(fullname)
        if folder is None:
            return None
        start = str(PurePath(folder, "__init__.py"))
        return importlib.util.spec_from_file_location(
            fullname, start, submodule_search_locations=[folder]
        )


def install(folders: dict[str, str]) -> None:
    """Make ``folders`` all that can be imported beside the standard library."""
    others = {"site-packages", "dist-packages"}
    sys.path[:] = [path for path in sys.path if path and others.isdisjoint(PurePath(path).parts)]
    sys.meta_path.append(Allowed(folders))
