"""The comparisons whose rows stand in the ledger, as data, the most telling first. `python -m lmkit.lab` runs them."""

from .compare import CORPORA, Study
from .settings import grid

TALES = {"tales": CORPORA["tales"]}
LARGER = {"S": {}, "M": dict(n_layers=4, d_model=128)}


def named(field: str, *names: str) -> dict[str, dict]:
    return {name: {field: name} for name in names}


NORMS = named("norm", "layernorm", "rmsnorm", "rmsnorm_plus_one", "dyt")
PLACES = {"pre": {}, "post": dict(residual="post", final_norm=False), "output": dict(residual="output")}
RULES = named("residual", "pre", "sandwich", "scaled", "output")
RULES |= {
    "post": dict(residual="post", final_norm=False),
    "deepnorm": dict(residual="deepnorm", init="deepnorm", final_norm=False),
    "rezero": dict(residual="rezero"),
}
DEPTHS = {f"{n} layers": dict(n_layers=n) for n in (2, 6, 24)}  # at equal parameters: thinner ones
SCHEMES = named("positions", "rope", "alibi", "relative", "learned", "sinusoidal", "none")

STUDIES = {
    study.name: study
    for study in [
        Study("positions", "How should a position be told?", SCHEMES, sizes=LARGER, lengths=(1, 2, 4)),
        Study(
            "ffn",
            "Which network should each position have for itself?",
            named("ffn", "gelu", "relu", "relu2", "glu", "swiglu", "geglu"),
            sizes=LARGER,
        ),
        Study(
            "attention",
            "How many keys and values, and how far back?",
            {
                "multi-head": {},
                "grouped, 2": dict(n_kv_heads=2),
                "multi-query": dict(n_kv_heads=1),
                "latent": dict(attention={"name": "latent", "d_latent": 24, "d_rope": 12}),
                "window 16": dict(window=16),
                "window 16, then all": dict(window=(16, None)),
            },
            sizes=LARGER,
        ),
        Study("norms", "Which norm, and where?", grid(NORMS, PLACES)),
        Study(
            "optimizers",
            "Which optimizer, at its own best rate?",
            {
                "adamw": {},
                "adamw, beta2 0.99": dict(optimizer={"name": "adamw", "beta2": 0.99}),
                "muon": dict(optimizer="muon", lr=1e-2),
                "muon, momentum 0.85": dict(optimizer={"name": "muon", "momentum": 0.85}, lr=1e-2),
                "sgd": dict(optimizer="sgd", lr=0.25),
            },
        ),
        Study(
            "schedules",
            "How should the learning rate end?",
            {
                "cosine to 0": {},
                "cosine to a tenth": dict(schedule={"name": "cosine", "floor": 0.1}),
                "linear to 0": dict(schedule="linear"),
                "stable, then down": dict(schedule="wsd"),
                "constant": dict(schedule="constant"),
            },
        ),
        Study("depth", "Which residual rule, as layers get more and thinner?", grid(RULES, DEPTHS), corpora=TALES),
        Study("heads", "Should the head share the embedding?", {"tied": {}, "untied": dict(tied=False)}, sizes=LARGER),
        Study(
            "tokens",
            "Which tokens, for the same bytes of context and the same arithmetic?",
            {
                "characters": dict(tokenizer="characters"),
                "bytes": dict(tokenizer="bytes"),
                "byte-level BPE 512": dict(tokenizer={"name": "byte_bpe", "vocab_size": 512}),
                "byte-level BPE 1024": dict(tokenizer={"name": "byte_bpe", "vocab_size": 1024}),
                "unigram 1024": dict(tokenizer={"name": "unigram", "vocab_size": 1024}),
            },
            base=dict(window_bytes=640, batch_size=8),
        ),
        Study(
            "warmup",
            "Does the place of the norm decide how long to warm up?",
            grid(PLACES, {f"warm-up {n}": dict(warmup=n) for n in (0, 20, 80)}),
            corpora=TALES,
        ),
        Study(
            "length",
            "Which positions carry over to longer texts, and does training on longer ones help?",
            grid(
                named("positions", "rope", "alibi", "relative", "none"),
                {f"T = {T}": dict(seq_len=T, batch_size=2048 // T) for T in (128, 256, 512)},
            ),
            corpora=TALES,
            lengths=(1, 2, 4),
        ),
    ]
}
