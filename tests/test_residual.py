"""Residual rules, each against its formula written out."""

import pytest
import torch
from torch import nn

from lmkit.norms import RMSNorm
from lmkit.residual import RESIDUALS

X = torch.randn(3, 5, 4, generator=torch.Generator().manual_seed(0))
N_LAYERS = 8


def parts(name):
    torch.manual_seed(1)
    rule = RESIDUALS[name](4, RMSNorm, N_LAYERS)
    for p in rule.parameters():
        nn.init.normal_(p)
    return rule, nn.Linear(4, 4)


FORMULAS = {
    "pre": lambda x, f, rule: x + f(rule.norm(x)),
    "post": lambda x, f, rule: rule.norm(x + f(x)),
    "output": lambda x, f, rule: x + rule.norm(f(x)),
    "sandwich": lambda x, f, rule: x + rule.out_norm(f(rule.norm(x))),
    "deepnorm": lambda x, f, rule: rule.norm(2.0 * x + f(x)),  # (2 * 8)^(1/4) = 2
    "scaled": lambda x, f, rule: x + f(rule.norm(x)) / 4.0,  # sqrt(2 * 8) = 4
    "rezero": lambda x, f, rule: x + rule.weight * f(x),
}


@pytest.mark.parametrize("name", RESIDUALS)
def test_each_rule_is_its_formula(name):
    rule, f = parts(name)
    torch.testing.assert_close(rule(X, f), FORMULAS[name](X, f, rule))


def test_rezero_starts_as_the_identity_and_learns():
    rule, f = RESIDUALS["rezero"](4, RMSNorm, N_LAYERS), nn.Linear(4, 4)
    assert torch.equal(rule(X, f), X)
    rule(X, f).sum().backward()
    assert rule.weight.grad.abs() > 0 and len(list(rule.parameters())) == 1


def test_the_identity_path_of_pre_norm_carries_the_gradient_whole():
    """With a sublayer that adds nothing, pre-norm hands the gradient through; post-norm passes it through a norm."""
    nothing = lambda x: 0 * x  # noqa: E731
    for name, whole in (("pre", True), ("sandwich", True), ("output", True), ("scaled", True), ("post", False)):
        x = X.clone().requires_grad_()
        RESIDUALS[name](4, RMSNorm, N_LAYERS)(x, nothing).pow(2).sum().backward()
        assert torch.allclose(x.grad, 2 * X, atol=1e-5) is whole, name
