"""How config.json tells rotary positions: rope_parameters today, rope_theta and rope_scaling before."""

from ..config import Config
from ..positions import POSITIONS
from .format import Settings, component_of

# The name of a kind, ours of it, and what its options are called there and here.
LENGTH = {"original_max_position_embeddings": "trained_len"}
KINDS = {
    "default": ("rope", {}),
    "linear": ("rope_linear", {"factor": "factor"}),
    "yarn": ("rope_yarn", {"factor": "factor", "beta_fast": "fast", "beta_slow": "slow"} | LENGTH),
    "llama3": ("rope_llama3", {"factor": "factor", "high_freq_factor": "fast", "low_freq_factor": "slow"} | LENGTH),
}


def rope_from(said: Settings) -> str | dict:
    """The choice from POSITIONS that the settings of rope stand for."""
    said.fixed(partial_rotary_factor=1.0, original_max_position_embeddings=None)
    theta = said.number("rope_theta", 10_000.0)
    older = said.get("rope_scaling", {})
    rope = Settings(said.get("rope_parameters", older), f"{said.where}, in what it says of rope,")
    rope.fixed(partial_rotary_factor=1.0, attention_factor=None, mscale=None, mscale_all_dim=None, truncate=True)
    kinds = {kind: kind for kind in KINDS}
    kind = rope.choice("rope_type", kinds, rope.choice("type", kinds, "default"))
    name, options = KINDS[kind]
    how = {"theta": rope.number("rope_theta", theta)}
    for theirs, ours in options.items():
        read = rope.size if ours == "trained_len" else rope.number
        if (value := read(theirs, None)) is not None:
            how[ours] = value
    if name != "rope" and "factor" not in how:
        raise ValueError(f"{rope.where} has no factor for {kind!r}")
    if unread := rope.unread():
        raise ValueError(f"{rope.where} has {', '.join(unread)}, which lmkit has not for {kind!r}")
    return {"name": name, **how}


def rope_to(config: Config) -> dict:
    """The inverse, in the older spelling, which everybody reads."""
    scheme, how = component_of(config.positions, POSITIONS)
    said = {"rope_theta": how.get("theta", 10_000.0)}
    for kind, (ours, options) in KINDS.items():
        if kind != "default" and scheme is POSITIONS[ours]:
            how["trained_len"] = how.get("trained_len") or config.max_seq_len
            said["rope_scaling"] = {"rope_type": kind} | {theirs: how[here] for theirs, here in options.items()}
    return said
