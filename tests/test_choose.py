"""Names, options, and what stands behind them."""

from functools import partial

import pytest
from torch import nn

from lmkit.choose import choose, name_of, show
from lmkit.norms import NORMS, RMSNorm
from lmkit.positions import POSITIONS, Rope
from lmkit.residual import PreNorm


def test_choose_takes_names_options_and_callables():
    assert choose("rmsnorm", NORMS) is RMSNorm
    assert choose(nn.Identity, NORMS) is nn.Identity
    chosen = choose({"name": "rope", "theta": 5e5}, POSITIONS)
    assert chosen.func is Rope and chosen.keywords == {"theta": 5e5}


@pytest.mark.parametrize("choice", ["rms", {"name": "rms"}, {"eps": 1.0}, None, 3, ["rmsnorm"]])
def test_what_is_in_no_menu(choice):
    with pytest.raises(ValueError, match=r"is not one of \[.*'layernorm'.*\]; give one of these"):
        choose(choice, NORMS)


def test_a_choice_has_a_name_that_chooses_it_again():
    assert name_of("rope", POSITIONS) == "rope" and name_of(Rope, POSITIONS) == "rope"
    assert name_of(partial(Rope, theta=5e5), POSITIONS) == {"name": "rope", "theta": 5e5}
    assert name_of(partial(Rope), POSITIONS) == "rope"
    assert name_of({"name": "rope", "theta": 5e5}, POSITIONS) == {"name": "rope", "theta": 5e5}


@pytest.mark.parametrize("choice", [nn.RMSNorm, partial(RMSNorm, 3), partial(RMSNorm, eps=nn.Identity())])
def test_what_has_no_name(choice):
    with pytest.raises(ValueError, match="has no name; add it to the menu"):
        name_of(choice, NORMS)


@pytest.mark.parametrize("choice", ["rms", {"name": "rms"}])
def test_a_wrong_name_is_no_name(choice):
    with pytest.raises(ValueError, match="'rms' is not one of"):
        name_of(choice, NORMS)


def test_show_unwraps_partials():
    shown = repr(show(partial(Rope, theta=5e5)))
    assert shown.startswith("# with theta=500000.0\nclass Rope") and shown == shown.rstrip()
    assert show(PreNorm)._repr_markdown_().startswith("```python\nclass PreNorm")
