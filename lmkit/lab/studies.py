"""The comparisons whose rows stand in the ledger, as data, the most telling first. `python -m lmkit.lab` runs them.

Size S takes a few seconds a run on one processor core: it shows how variants begin to learn. M has three times the
parameters and twice the steps, to see whether the ranks of S hold. L is for a graphics card.
"""

from .compare import CORPORA, Study
from .settings import grid

TALES = {"tales": CORPORA["tales"]}
SHORT = dict(steps=200, batch_size=8, warmup=10, lr=6e-3, precision="bfloat16")
SMALL = {"S": SHORT}
SIZES = SMALL | {
    "M": SHORT | dict(n_layers=4, d_model=128, steps=400, warmup=20, lr=4e-3),
    "L": dict(n_layers=6, d_model=256, n_heads=8, steps=2000, batch_size=32, warmup=100, lr=2e-3),
}


def named(field: str, *names: str) -> dict[str, dict]:
    return {name: {field: name} for name in names}


NORMS = named("norm", "rmsnorm", "layernorm", "rmsnorm_plus_one", "dyt")
PLACES = {"pre": {}, "post": dict(residual="post", final_norm=False), "output": dict(residual="output")}
RULES = named("residual", "pre", "sandwich")
RULES |= {
    "post": dict(residual="post", final_norm=False),
    "deepnorm": dict(residual="deepnorm", init="deepnorm", final_norm=False),
    "rezero": dict(residual="rezero"),
}
DEPTHS = {f"{n} layers": dict(n_layers=n) for n in (2, 24)}  # at equal parameters: thinner ones
SCHEMES = named("positions", "rope", "alibi", "relative", "learned")
SCHEMES |= {
    "sinusoidal": dict(positions="sinusoidal", embed_scale=10.0),  # about √d_model, as in the paper
    "sinusoidal, bare": dict(positions="sinusoidal"),
    "none": dict(positions="none"),
}
SHAPES = {  # layers × width, in heads of 16
    f"{n} × {d}": dict(n_layers=n, d_model=d, n_heads=d // 16, lr=lr)
    for n, d, lr in ((1, 16, 2.4e-2), (1, 32, 1.2e-2), (2, 48, 8e-3), (3, 80, 6e-3), (4, 128, 4e-3))
}
BUDGETS = {f"{steps} steps": dict(steps=steps) for steps in (100, 200, 400, 800, 1600)}

#: Every `Study` whose rows the ledger has, by name.
STUDIES = {
    study.name: study
    for study in [
        Study("positions", "How should a position be told?", SCHEMES, sizes=SIZES, lengths=(1, 2, 4)),
        Study(
            "ffn",
            "Which network should each position have for itself?",
            named("ffn", "gelu", "relu", "relu2", "glu", "swiglu", "geglu"),
            sizes=SIZES,
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
            sizes=SIZES,
        ),
        Study("norms", "Which norm, and where?", grid(NORMS, PLACES), sizes=SMALL),
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
            sizes=SMALL,
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
            sizes=SMALL,
        ),
        Study("heads", "Should the head share the embedding?", {"tied": {}, "untied": dict(tied=False)}, sizes=SIZES),
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
            sizes={"S": SHORT | dict(window_bytes=640, batch_size=4, steps=120)},
        ),
        Study(
            "warmup",
            "Does the place of the norm decide how long to warm up?",
            grid({p: PLACES[p] for p in ("pre", "post")}, {f"warm-up {n}": dict(warmup=n) for n in (10, 0, 40)}),
            corpora=TALES,
            sizes=SMALL,
        ),
        Study(
            "length",
            "Which positions carry over to longer texts, and does training on longer ones help?",
            grid(
                named("positions", "rope", "alibi", "none"),
                {f"T = {T}": dict(seq_len=T, batch_size=1024 // T) for T in (128, 512)},
            ),
            corpora=TALES,
            sizes=SMALL,
            lengths=(1, 2, 4),
        ),
        Study(
            "depth",
            "Which residual rule, as layers get more and thinner?",
            grid(RULES, DEPTHS),
            corpora=TALES,
            sizes=SMALL,
        ),
        Study(
            "scaling",
            "How does the loss fall with parameters and tokens?",
            grid(SHAPES, BUDGETS),
            corpora=TALES,
            sizes={"S": SHORT | dict(level=2, seq_len=288, batch_size=4)},
            equal=(),
        ),
    ]
}
