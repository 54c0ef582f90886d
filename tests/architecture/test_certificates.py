"""Every function that returns a derivative has a test that holds it against differences.

Such a function says so by its name (``backward``, ``jvp``, ``fisher``, ``loss_gradient``, …, or
``d_…``), by its return type, ``ValueGrad`` or any other that has a field ``gradient``, or by a ∂, a
∇ or a Jacobian in the first sentence of its docstring. Where it stands does not matter: in a
class, below an ``if``, as an assigned lambda, or under a public name for something private.

Its certificate is a test marked ``@pytest.mark.certifies("module:qualified.name")`` that calls a
check of ``refmarl.nn.gradcheck``, itself or through a helper of the same file. That the check is of
this function and of no other, the slow test shows: certificates fail where it is off by 1 %.
"""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WORDS = {
    "backward", "vjp", "jvp", "hvp", "fisher", "grad", "grads", "gradient", "gradients", "jacobian",
    "hessian",
}  # fmt: skip
PHRASES = ("d_", "per_sample", "pull_back")
CHECKS = {"check_gradient", "check_backward", "check_jvp", "check_hvp"}
EXEMPT_FILES = {"refmarl/nn/gradcheck.py", "refmarl/value_grad.py"}
EXEMPT = {
    "refmarl.nn.conjugate_gradient:conjugate_gradient",  # solves equations
    "refmarl.games.stability:linearise",  # eigenvalues of ``jacobian``
}
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def announces(name):
    """Whether a name is that of a derivative."""
    words = name.strip("_").split("_")
    return (
        bool(WORDS & set(words))
        or name.lstrip("_").startswith(PHRASES[0])
        or any(phrase in name for phrase in PHRASES[1:])
    )


def statements(body):
    """All statements outside functions and classes, those below conditions too."""
    for node in body:
        yield node
        if isinstance(node, ast.If | ast.Try | ast.With | ast.For | ast.While):
            for part in ("body", "orelse", "finalbody"):
                yield from statements(getattr(node, part, []))
            for handler in getattr(node, "handlers", []):
                yield from statements(handler.body)


def carriers(trees):
    """Names of all types with a field ``gradient``, whatever they are called where."""
    found, before = {"ValueGrad", "ValueGrads"}, set()
    nodes = [node for tree in trees.values() for node in statements(tree.body)]
    while found != before:  # names of names
        before = set(found)
        for node in nodes:
            if isinstance(node, ast.ClassDef):
                fields = {
                    n.target.id
                    for n in node.body
                    if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name)
                }
                if fields & {"gradient", "gradients"} or names(node.bases) & found:
                    found.add(node.name)
            elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Name):
                if node.value.id in found:
                    found |= names(node.targets)
            elif isinstance(node, ast.ImportFrom):
                found |= {a.asname for a in node.names if a.asname and a.name in found}
    return found


def names(nodes):
    """All identifiers in some expressions, also in those that are quoted."""
    text = " ".join(ast.unparse(node) for node in nodes if node is not None)
    return set(re.findall(r"[A-Za-z_]\w*", text))


def returns_a_derivative(node, types):
    """Whether a function definition announces a derivative."""
    first = (ast.get_docstring(node) or "").partition("\n\n")[0]
    first = first.partition(" from ")[0]  # what it is given, not what it gives
    return (
        announces(node.name)
        or bool(names([node.returns]) & types)
        or bool(re.search(r"∂|∇|\bJacobian\b", first))
    )


def derivatives(root):
    """module:qualified.name of every such public function of the package."""
    trees = {}
    for path in sorted((root / "refmarl").rglob("*.py")):
        relative = path.relative_to(root).as_posix()
        if relative not in EXEMPT_FILES and "/specs/" not in relative:
            trees[relative] = ast.parse(path.read_text("utf-8"))
    types = carriers(trees)
    for relative, tree in trees.items():
        module = relative.removesuffix(".py").replace("/", ".")
        for name in _in(tree.body, "", types):
            if f"{module}:{name}" not in EXEMPT:
                yield f"{module}:{name}"


def _in(body, prefix, types):
    """Names of the derivatives that these statements define."""
    for node in statements(body):
        if isinstance(node, ast.ClassDef) and not names(node.bases) & {"Protocol"}:
            yield from _in(node.body, f"{prefix}{node.name}.", types)
        elif isinstance(node, FUNCTIONS):
            if not node.name.startswith("_") and returns_a_derivative(node, types):
                yield f"{prefix}{node.name}"
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            plain = isinstance(node.value, ast.Constant | ast.Tuple | ast.Dict | ast.Set | None)
            for target in targets:
                if isinstance(target, ast.Name) and not plain and _public(target.id):
                    yield f"{prefix}{target.id}"
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                new = alias.asname or ""
                if _public(new) and (alias.name.startswith("_") or not announces(alias.name)):
                    yield f"{prefix}{new}"


def _public(name):
    return not name.startswith("_") and announces(name)


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


DERIVATIVES = sorted(derivatives(ROOT))


@pytest.mark.parametrize("name", DERIVATIVES)
def test_every_derivative_has_its_certificate(name, proven):
    assert name in proven


def test_every_certificate_is_of_a_function_that_exists_and_checks_it():
    for name, proven, where in certificates(ROOT):
        assert name in DERIVATIVES, f"{where}: there is no derivative {name}"
        assert proven, f"{where}: calls no check of refmarl.nn.gradcheck and requires nothing"


FORMS = {
    "return type": "def loss(x) -> ValueGrad:\n    return x\n",
    "quoted return type": 'def loss(x) -> "tuple[ValueGrad, int]":\n    return x\n',
    "type under another name": "from .value_grad import ValueGrad as V\n"
    "Pair = V\n\ndef loss(x) -> Pair:\n    return x\n",
    "own type": "class Slope:\n    gradient: float\n\ndef loss(x) -> Slope:\n    return x\n",
    "name": "def d_loss(x):\n    return x\n",
    "word in a name": "def loss_gradient(x):\n    return x\n",
    "docstring": 'def loss(x):\n    """(L, ∂L/∂x)."""\n    return x\n',
    "method": "class Net:\n    class Part:\n        def backward(self, x):\n            return x\n",
    "below a condition": "if True:\n    def d_loss(x):\n        return x\n",
    "after an error": "try:\n    pass\nexcept ImportError:\n    def jvp(x):\n        return x\n",
    "lambda": "d_loss = lambda x: x\n",
    "public name of a private function": "from ._hidden import _slope as d_loss\n",
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("place", ["new.py", "deep/er/new.py", "deep/__init__.py"])
def test_a_derivative_is_found_in_every_form(tmp_path, form, place):
    path = tmp_path / "refmarl" / place
    path.parent.mkdir(parents=True)
    path.write_text(FORMS[form] + "\ndef value(x):\n    return x\n\nd_names = ('a', 'b')\n")
    module = f"refmarl/{place}".removesuffix(".py").replace("/", ".")
    (found,) = derivatives(tmp_path)
    assert found.startswith(f"{module}:")
    assert not found.endswith(("value", "d_names"))


def test_a_test_that_checks_nothing_is_no_certificate(tmp_path):
    (tmp_path / "tests").mkdir()
    empty = '@pytest.mark.certifies("refmarl.new:loss")\ndef test_nothing():\n    assert True\n'
    (tmp_path / "tests" / "test_new.py").write_text(empty)
    assert [(n, proven) for n, proven, _ in certificates(tmp_path)] == [("refmarl.new:loss", False)]


@pytest.mark.slow
def test_every_certificate_notices_a_derivative_that_is_off_by_a_percent():
    env = os.environ | {"REFMARL_HYPOTHESIS": "off", "PYTHONPATH": str(Path(__file__).parent)}
    files = sorted({where.partition("::")[0] for _, _, where in certificates(ROOT)})
    command = [sys.executable, "-m", "pytest", "-p", "off_by_a_percent", "-p", "no:cacheprovider"]
    done = subprocess.run([*command, *files], cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:]
    assert "unnoticed: none" in done.stdout
