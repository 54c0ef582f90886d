"""The site of docs/: offline, equations beside their code. ``python -m sphinx -W docs OUT``."""

import importlib.util
import os
import shutil
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE / "_site")]

import refmarl  # noqa: E402

project = "refmarl"
author = "the refmarl authors"
html_show_copyright = False
version = release = refmarl.__version__
extensions = [
    "myst_parser",
    "sphinx_design",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.mathjax",
    "pages",
    "sources",
    "reference",
    "figures",
]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_*"]
language = "en"

myst_enable_extensions = ["dollarmath", "amsmath", "deflist", "colon_fence", "attrs_inline"]
myst_heading_anchors = 4
myst_dmath_double_inline = True

# one file of MathJax, fonts inside, out of a package: nothing is fetched, built or read
_found = importlib.util.find_spec("sphinx-mathjax-offline")
if _found is None or _found.origin is None:
    raise SystemExit("the site needs the extra `docs`: pip install -e '.[docs]'")
_mathjax = Path(_found.origin).parent / "static" / "mathjax" / "tex-svg.js"
mathjax_path = "mathjax/tex-svg.js"
mathjax3_config = {
    "options": {"enableMenu": False, "enableAssistiveMml": True},
    "svg": {"fontCache": "global"},
    "tex": {"tagSide": "right"},
}

suppress_warnings = ["ref.python"]  # a name such as NormalForm is exported twice
toc_object_entries = False
autodoc_member_order = "bysource"
autodoc_typehints = "signature"

html_theme = "furo"
html_title = f"refmarl {version}"
html_static_path = ["_site/static"]
html_css_files = ["refmarl.css"]
html_js_files = [("refmarl.js", {"defer": "defer"})]
html_favicon = "_site/static/favicon.svg"
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {"navigation_with_keys": True}


def _copy_mathjax(app: Any) -> None:
    place = Path(app.outdir) / "_static" / "mathjax"
    place.mkdir(parents=True, exist_ok=True)
    shutil.copy(_mathjax, place)


def setup(app: Any) -> None:
    """Put MathJax where the pages look for it."""
    app.connect("builder-inited", _copy_mathjax)
