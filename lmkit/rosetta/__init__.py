"""Rosetta: the same Transformer in another library's own layers, and its weights carried over in both directions.

`lmkit.rosetta.torch_encoder` speaks torch.nn; `lmkit.rosetta.keras_model` speaks Keras 3, an extra: lmkit[keras].
"""

from dataclasses import fields

from ..model import Config

# Sizes, and what costs no layer of its own: every language can say any value of these.
FREE = {"vocab_size", "d_model", "n_layers", "n_heads", "d_ff", "max_seq_len", "eps", "causal", "final_norm", "init"}


def translatable(config: Config, language: str, known: dict[str, tuple], free: set[str]) -> Config:
    """Return `config` with its components by name; ValueError for the first choice that `language` has no words for.

    `known` lists the choices it has, by field. A field in neither `known` nor `free` must be Config's default: what a
    rosetta does not mention it would drop without a word.
    """
    plain = config.to_dict()
    heads = {"n_kv_heads": (None, config.n_heads), "d_head": (None, config.d_model / config.n_heads)}  # plain heads
    for field in fields(config):
        choices = (heads | known).get(field.name, (field.default,))
        if field.name not in FREE | free and plain[field.name] not in choices:
            listed = " or ".join(map(repr, choices))
            raise ValueError(f"{language} cannot express {field.name}={plain[field.name]!r}, only {listed}")
    return Config.from_dict(plain)
