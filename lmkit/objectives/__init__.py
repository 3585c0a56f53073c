"""Chapter 9. Objectives: what a model is trained to predict. An objective is loss(model, batch) -> scalar, in nats."""

from .causal import next_token_loss
from .losses import cross_entropy as cross_entropy
from .losses import linear_cross_entropy as linear_cross_entropy

OBJECTIVES = {"causal": next_token_loss}
