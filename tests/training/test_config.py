"""Settings: ranges, names, the round trip through JSON, digests."""

import json
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refmarl.check import InputError
from refmarl.config import (
    Settings,
    describe,
    digest,
    fixed,
    from_dict,
    option,
    options,
    override,
    to_dict,
)


@dataclass(frozen=True, kw_only=True)
class Config(Settings):
    gamma: float = option(0.99, "γ, discount", "[0, 1]")
    lr: float = option(1e-3, "α, step", "(0, inf)")
    hidden: tuple[int, ...] = option((64, 64), "units", "[1, inf)")
    share: bool = option(True, "one network for all")
    dtype: str = option("float32", "of θ", ("float32", "float64"))
    clip: float | None = option(None, "ε, none for no clipping", "(0, inf)")


CONFIGS = st.builds(
    Config,
    gamma=st.floats(0, 1),
    lr=st.floats(1e-9, 1e9),
    hidden=st.lists(st.integers(1, 99), max_size=3).map(tuple),
    share=st.booleans(),
    dtype=st.sampled_from(["float32", "float64"]),
    clip=st.none() | st.floats(1e-3, 10),
)


@given(CONFIGS)
def test_json_and_text_give_the_same_config_back(cfg):
    assert from_dict(Config, json.loads(json.dumps(to_dict(cfg)))) == cfg
    texts = [f"{k}={','.join(map(str, v)) if isinstance(v, list) else v}"
             for k, v in to_dict(cfg).items()]  # fmt: skip
    assert override(Config(), texts) == cfg


@given(CONFIGS, CONFIGS)
def test_digests_differ_exactly_where_configs_do(one, two):
    assert (digest(one) == digest(two)) == (to_dict(one) == to_dict(two))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("gama=1", "no option 'gama'; did you mean 'gamma'?"),
        ("zzz=1", "no option 'zzz'; there are gamma, lr"),
        ("gamma=1.5", r"gamma: need a number in \[0, 1\], got 1.5"),
        ("gamma=nan", r"gamma: need a number in \[0, 1\], got nan"),
        ("lr=0", r"lr: need a number in \(0, inf\), got 0.0"),
        ("lr=inf", r"lr: need a number in \(0, inf\)"),
        ("lr=fast", "lr: need a number, got 'fast'"),
        ("hidden=64,0", r"hidden: need a number in \[1, inf\), got 0"),
        ("hidden=64,1.5", "hidden: need a whole number, got '1.5'"),
        ("share=perhaps", "share: need true or false"),
        ("dtype=int8", "dtype: need one of float32, float64; got 'int8'"),
        ("gamma", "need name=value"),
        ("clip=-1", r"clip: need a number in \(0, inf\)"),
    ],
)
def test_a_wrong_option_is_one_clear_line(text, says):
    with pytest.raises(InputError, match=says.replace("?", r"\?")):
        override(Config(), [text])


def test_values_of_the_wrong_type_are_refused_in_python_too():
    with pytest.raises(InputError, match="hidden: need several values, got 64"):
        Config(hidden=64)
    with pytest.raises(InputError, match="share: need true or false, got 1"):
        Config(share=1)
    assert Config(gamma=1).gamma == 1.0
    assert Config(hidden=[8]).hidden == (8,)


def test_every_field_is_described():
    rows = {row[0]: row for row in describe(Config)}
    assert rows["gamma"] == ("gamma", "0.99", "[0, 1]", "γ, discount")
    assert rows["dtype"][2] == "float32 | float64"


def test_what_is_fixed_has_its_value_and_is_no_option():
    @dataclass(frozen=True, kw_only=True)
    class Fixed(Config):
        gamma: float = fixed(0.5)

    assert Fixed().gamma == 0.5
    assert "gamma" not in [*to_dict(Fixed()), *(row[0] for row in describe(Fixed))]
    assert [f.name for f in options(Config) if f.name != "gamma"] == list(to_dict(Fixed()))
    assert from_dict(Fixed, to_dict(Fixed(lr=0.5))) == Fixed(lr=0.5)
    for text in ("gamma=0.5", "gamma=1"):
        with pytest.raises(InputError, match="no option 'gamma'"):
            override(Fixed(), [text])
