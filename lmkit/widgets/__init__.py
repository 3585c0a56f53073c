"""Pictures that answer when touched, in the static book; what `explore_...` shows answers with a live kernel only."""

from .attention_map import AttentionMap, attention_map
from .explore import explore_attention
from .explore_tokens import explore_tokens
from .loss_curves import LossCurves, loss_curves
from .model_map import ModelMap, model_map
from .neurons import Neurons, neurons
from .next_word import NextWord, next_word
from .norm_bars import NormBars, norm_bars
from .rotation import Rotation, rotation
from .stream_lens import StreamLens, stream_lens
from .token_steps import TokenSteps, token_steps

__all__ = [
    "AttentionMap", "LossCurves", "ModelMap", "Neurons", "NextWord", "NormBars", "Rotation", "StreamLens", "TokenSteps",
    "attention_map", "explore_attention", "explore_tokens", "loss_curves", "model_map", "neurons", "next_word",
    "norm_bars", "rotation", "stream_lens", "token_steps",
]  # fmt: skip
