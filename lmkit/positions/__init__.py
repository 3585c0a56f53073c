"""Chapter 2. Positions: without them, attention cannot tell "dog bites man" from "man bites dog".

A position scheme can act in three places. It overrides the one it uses; the model calls all three and has no `if`.
Everywhere `pos` is either (T), shared by all rows of the batch, or (B, T), one line of positions per row.
"""

from .biases import Alibi, RelativeBias
from .plain import Learned, NoPositions, Sinusoidal
from .rope import Rope, RopeLinear, RopeLlama3, RopeNTK, RopeYarn, halves_to_pairs, pairs_to_halves

#: A position scheme is built by scheme(d_model, n_heads, d_head, max_seq_len, causal).
POSITIONS = {
    "none": NoPositions,
    "sinusoidal": Sinusoidal,
    "learned": Learned,
    "rope": Rope,
    "rope_linear": RopeLinear,
    "rope_ntk": RopeNTK,
    "rope_yarn": RopeYarn,
    "rope_llama3": RopeLlama3,
    "alibi": Alibi,
    "relative": RelativeBias,
}

__all__ = [
    "POSITIONS", "Alibi", "Learned", "NoPositions", "RelativeBias", "Rope", "RopeLinear", "RopeLlama3", "RopeNTK",
    "RopeYarn", "Sinusoidal", "halves_to_pairs", "pairs_to_halves",
]  # fmt: skip
