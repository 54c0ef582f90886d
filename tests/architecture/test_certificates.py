"""Every function that returns a derivative has a test that holds it against differences.

Such a function says so by its name (``backward``, ``jvp``, ``hvp``, ``per_sample``, ``fisher``, …,
or ``d_…``) or by its return type, ``ValueGrad`` or ``ValueGrads``. Its certificate is a test
marked ``@pytest.mark.certifies("module:qualified.name")`` that calls a check of
``refmarl.nn.gradcheck``, itself or through a helper of the same file.
"""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMES = {"backward", "vjp", "jvp", "hvp", "per_sample", "fisher", "r_backward", "gradient"}
CHECKS = {"check_gradient", "check_backward", "check_jvp", "check_hvp"}
EXEMPT = {"refmarl/nn/gradcheck.py", "refmarl/value_grad.py"}


def returns_a_derivative(node):
    """Whether a function definition announces a derivative."""
    if node.name.startswith("_"):
        return False
    if node.name in NAMES or node.name.startswith("d_"):
        return True
    return node.returns is not None and "ValueGrad" in ast.unparse(node.returns)


def derivatives(root):
    """module:qualified.name of every such public function of the package."""

    def walk(body, prefix):
        for node in body:
            if isinstance(node, ast.ClassDef) and not _is_protocol(node):
                yield from walk(node.body, f"{prefix}{node.name}.")
            if isinstance(node, ast.FunctionDef) and returns_a_derivative(node):
                yield f"{prefix}{node.name}"

    for path in sorted((root / "refmarl").rglob("*.py")):
        relative = path.relative_to(root).as_posix()
        if relative in EXEMPT or "/specs/" in relative:
            continue
        module = relative.removesuffix(".py").replace("/", ".")
        for name in walk(ast.parse(path.read_text("utf-8")).body, ""):
            yield f"{module}:{name}"


def _is_protocol(node):
    return any(ast.unparse(base).startswith("Protocol") for base in node.bases)


def called(node):
    """Names of all functions called in a definition."""
    calls = (n.func for n in ast.walk(node) if isinstance(n, ast.Call))
    return {f.id if isinstance(f, ast.Name) else getattr(f, "attr", "") for f in calls}


def certificates(root):
    """(marked name, whether the marked test checks anything, where)."""
    for path in sorted((root / "tests").rglob("test_*.py")):
        body = ast.parse(path.read_text("utf-8")).body
        functions = {n.name: n for n in body if isinstance(n, ast.FunctionDef)}
        for node in functions.values():
            calls, frontier = set(), {node.name}
            while frontier:  # through helpers of the same file
                new = set().union(*(called(functions[f]) for f in frontier)) - calls
                calls |= new
                frontier = new & functions.keys()
            for mark in node.decorator_list:
                if isinstance(mark, ast.Call) and ast.unparse(mark.func).endswith(".certifies"):
                    proven = bool(calls & CHECKS) and "require" in calls
                    where = f"{path.relative_to(root)}::{node.name}"
                    yield from ((ast.literal_eval(arg), proven, where) for arg in mark.args)


@pytest.fixture(scope="module")
def proven():
    """The names that have a certificate."""
    return {name for name, proven, _ in certificates(ROOT) if proven}


@pytest.mark.parametrize("name", sorted(derivatives(ROOT)))
def test_every_derivative_has_its_certificate(name, proven):
    assert name in proven


def test_every_certificate_is_of_a_function_that_exists_and_checks_it():
    known = set(derivatives(ROOT))
    for name, proven, where in certificates(ROOT):
        assert name in known, f"{where}: there is no derivative {name}"
        assert proven, f"{where}: calls no check of refmarl.nn.gradcheck and requires nothing"


def test_a_function_without_certificate_is_found(tmp_path):
    (tmp_path / "refmarl").mkdir()
    (tmp_path / "tests").mkdir()
    source = "def d_loss(x):\n    return x\n\ndef loss(x) -> ValueGrad:\n    return x\n"
    (tmp_path / "refmarl" / "new.py").write_text(source + "\ndef value(x):\n    return x\n")
    empty = '@pytest.mark.certifies("refmarl.new:loss")\ndef test_nothing():\n    assert True\n'
    (tmp_path / "tests" / "test_new.py").write_text(empty)
    assert list(derivatives(tmp_path)) == ["refmarl.new:d_loss", "refmarl.new:loss"]
    assert [(n, proven) for n, proven, _ in certificates(tmp_path)] == [("refmarl.new:loss", False)]
