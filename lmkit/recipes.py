"""Chapter 9. Recipes: settings of whole runs. `python -m lmkit.pretrain --recipe NAME` follows one.

What each choice of the speedrun bought is measured by benchmarks/ablation.py; the rows stand in ledger/ablation.jsonl,
those of the race (benchmarks/speedrun.py) in ledger/speedrun.jsonl.
"""

#: Settings by the name of the recipe, as `python -m lmkit.pretrain` takes them.
RECIPES = {
    # nanoGPT's documented recipe for a processor (Karpathy 2022): what a learner would use otherwise.
    "nanogpt": dict(
        corpus="tinyshakespeare", tokenizer="characters",
        model=dict(
            d_model=128, n_layers=4, n_heads=4, max_seq_len=64, norm="layernorm", positions="learned", ffn="gelu",
            init="gpt2", bias=False,
        ),
        optimizer={"name": "adamw", "beta2": 0.99}, schedule={"name": "cosine", "floor": 0.1}, lr=1e-3, warmup=100,
        weight_decay=0.1, clip=1.0, steps=2000, batch_size=12, seq_len=64, precision="float32",
    ),
    # The same shape and as many parameters, to the same loss in 1/16 of the time: 6.8 seconds against 107 on one core,
    # 1.869 nats against 1.903. Behind each choice stands what another would cost, in nats, with the best rate it finds.
    "speedrun": dict(
        corpus="tinyshakespeare", tokenizer="characters",
        model=dict(
            d_model=128, n_layers=4, max_seq_len=64, bias=False,
            n_heads=2,  # 4: +0.003
            norm="layernorm",  # RMSNorm: the same, and a little slower
            positions="rope",  # learned: +0.24, and +0.36 beside embeddings that are scaled
            qk_norm="rmsnorm",  # none: +0.006, in 6 % less time
            ffn="swiglu",  # GELU: +0.055; squared ReLU: +0.059
            init="zero_out",  # fan_in: +0.042; gpt2: +0.014
            embed_scale=4.0,  # 1: +0.044
            tied=False,  # tied: +0.061
        ),
        optimizer={"name": "muon", "momentum": 0.8},  # AdamW: +0.26; a momentum of 0.95: +0.048
        # An average of the weights (EMA) adds nothing to it; over a constant rate it gives the same (3 seeds).
        schedule="linear",  # wsd: +0.024; a cosine to a tenth: the same
        lr=2e-2,
        warmup=10, weight_decay=0.0, clip=None,  # no warm-up, a decay of 0.1, clipping at 1: the same
        steps=130, batch_size=16,  # 32, half as many steps: +0.055; 8, twice as many: -0.031 in 27 % more time
        seq_len=64,
        precision="bfloat16",  # float32: the same, in twice the time
    ),
    # Another shape, to the lowest loss in the time that nanoGPT's recipe takes: 1.537 nats in windows of 64 characters,
    # 1.512 in those of 128. A wider or deeper model takes fewer steps in that time, which cost more than it gave; a
    # momentum of 0.95 and a decay of 0.3 were worse, a rate of 0.01 no better (one seed each).
    "equal_time": dict(
        corpus="tinyshakespeare", tokenizer="characters",
        model=dict(
            d_model=192, n_layers=4, n_heads=3, max_seq_len=256, norm="layernorm", positions="rope", qk_norm="rmsnorm",
            ffn="swiglu", init="zero_out", embed_scale=4.0, tied=False, bias=False,
        ),
        optimizer={"name": "muon", "momentum": 0.85}, schedule="linear", lr=1.5e-2, warmup=20, weight_decay=0.0,
        clip=None, steps=750, batch_size=16, seq_len=128, precision="bfloat16",
    ),
}  # fmt: skip
