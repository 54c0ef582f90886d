"""Imports point down only; packages of one layer do not import each other."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "refmarl"
LAYERS = (
    {"check", "value_grad"},
    {"kernels", "equations", "config", "rng"},
    {"nn", "games", "env_api"},
    {"envs", "applications"},
    {"rollout", "replay"},
    {"learner"},
    {"policy_gradient"},
    {"cooperative", "distributed", "communication", "meta_learning"},
    {"training", "analysis", "testing"},
    {"studies", "grading", "bench"},
    {"cli"},
)
RANK = {name: rank for rank, layer in enumerate(LAYERS) for name in layer}
TOP = {PACKAGE / "__init__.py", PACKAGE / "__main__.py"}
SOURCES = [p for p in sorted(PACKAGE.rglob("*.py")) if p not in TOP]


def imported(path):
    """Top-level packages of refmarl that the file imports."""
    here = path.relative_to(PACKAGE.parent).with_suffix("").parts
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (a.name.split(".")[1] for a in node.names if a.name.startswith("refmarl."))
        if isinstance(node, ast.ImportFrom):
            base = here[: len(here) - node.level] if node.level else ()
            full = (*base, *(node.module.split(".") if node.module else ()))
            if full[:1] == ("refmarl",):
                yield from full[1:2] or (a.name for a in node.names)


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_point_down(path):
    own = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    for other in set(imported(path)) - {own, "__version__"}:
        assert RANK[other] < RANK[own], f"{own} (layer {RANK[own]}) may not import {other}"


def test_the_top_level_is_what_was_decided():
    names = {p.name for p in PACKAGE.parent.iterdir() if not p.name.startswith(".")}
    decided = {"refmarl", "exercises", "solutions", "docs", "tests", "pyproject.toml", "README.md"}
    assert names - {"refmarl-tour", "dist", "build"} == decided


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_matplotlib_stands_in_one_place(path):
    if path.parts[-2:] == ("analysis", "plots.py"):
        return
    text = path.read_text("utf-8")
    assert "import matplotlib" not in text
    assert "from matplotlib" not in text
