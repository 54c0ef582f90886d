"""The environment of section 3's tests in which everything happens."""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

SPEC = spec_from_file_location(
    "pair_env", Path(__file__).parents[1] / "s3_policy_gradient" / "conftest.py"
)
ENV = module_from_spec(SPEC)
SPEC.loader.exec_module(ENV)
pair = ENV.pair
