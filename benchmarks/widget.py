"""The figures that answer when touched: bytes on the page, and milliseconds for what a reader does.

The attention map: to change the head and to follow the pointer. The steps of tokens: to go to another step.
"""

import sys
import tempfile
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))
import browser as finder

from lmkit.tokenizers.work import Piece, Step, Work
from lmkit.widgets import attention_map, token_steps
from lmkit.widgets.attention_map import script
from lmkit.widgets.token_steps import script as steps_script

TIMED = """
    const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    const timed = async (turn) => {
        const all = [];
        for (let i = 0; i < 25; i++) {
            const start = performance.now();
            turn(i);
            e.getBoundingClientRect();
            all.push(performance.now() - start);
            await frame();
        }
        all.sort((a, b) => a - b);
        return [all[12], all[24]];
    };
"""
MEASURE = f"""async ([e]) => {{ {TIMED}
    await e.ready;
    const n = e.T;
    return {{
        head: await timed((i) => e.setHead(i % e.layers.length, i % e.n_heads)),
        cell: await timed((i) => e.setHover({{ q: n - 1 - (i * 7) % n, k: (i * 3) % n }})),
        token: await timed((i) => e.setHover({{ q: (i * 7) % n, k: null }})),
    }};
}}"""
MEASURE_STEPS = f"async ([e]) => {{ {TIMED} return timed((i) => e.walk(i * 5)); }}"


def maps(*shape):
    """Random causal maps, (n_layers, n_heads, T, T): rougher than a trained model's, so an upper end for the bytes."""
    scores = torch.randn(shape, generator=torch.Generator().manual_seed(0)) * 3
    allowed = torch.ones(shape[-2:], dtype=torch.bool).tril()
    return scores.masked_fill(~allowed, -torch.inf).softmax(-1)


def merges(n):
    """n characters, and as many steps as it takes to join them one pair at a time into words of five."""
    text, spans, steps = ("abcd " * n)[:n], [(i, i + 1) for i in range(n)], []
    for i in [-1, *(word for word in range(n // 5) for _ in range(4))]:
        if i >= 0:
            spans[i : i + 2] = [(spans[i][0], spans[i + 1][1])]
        pieces = tuple(Piece(text[a:b], a, b, a) for a, b in spans)
        steps.append(Step(f"merge {len(steps)}", pieces, (i,) if i >= 0 else ()))
    return Work("bpe", text, tuple(steps))


def main():
    path = finder.installed()
    print(f"the script, once a page: {len(script().encode()):,} bytes")
    if path is None:
        print("no browser here: sizes only")
    shown = {shape: attention_map(maps(*shape), ["token"] * shape[-1]) for shape in SHAPES}
    times = {} if path is None else in_browser(path, shown)
    for shape, one in shown.items():
        line = f"{' × '.join(map(str, shape))}: {len(one.html().encode()):,} bytes"
        for what, (median, most) in times.get(shape, {}).items():
            line += f"; {NAMES[what]} {median:.1f} ms (at most {most:.1f})"
        print(line)
    print(f"steps of tokens, the script, once a page: {len(steps_script().encode()):,} bytes")
    for n in LENGTHS:
        work = merges(n)
        figure = token_steps(work)
        line = f"{n} characters, {len(work.steps)} steps: {len(figure.html().encode()):,} bytes"
        if path is not None:
            median, most = in_browser(path, {n: figure}, MEASURE_STEPS, steps_script())[n]
            line += f"; a step {median:.1f} ms (at most {most:.1f})"
        print(line)


def in_browser(path, shown, measure=MEASURE, code=None):
    """{key: what `measure` found on a page with that figure and its script}."""
    from playwright.sync_api import sync_playwright

    times = {}
    with sync_playwright() as p, tempfile.TemporaryDirectory() as folder:
        chromium = p.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        page = chromium.new_page(viewport={"width": 900, "height": 900})
        for shape, one in shown.items():
            file = Path(folder, "map.html")
            file.write_text(f"<!doctype html><meta charset=utf-8>{one.html()}{code or script()}", encoding="utf-8")
            page.goto(file.as_uri())
            times[shape] = page.locator("lmkit-attention-map, lmkit-token-steps").evaluate_all(measure)
        chromium.close()
    return times


NAMES = {"head": "head", "cell": "hover a cell", "token": "hover a token"}
LENGTHS = [50, 300]
SHAPES = [(2, 4, 12, 12), (12, 12, 64, 64), (2, 8, 512, 512)]

if __name__ == "__main__":
    main()
