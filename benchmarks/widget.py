"""The attention map: bytes on the page, and milliseconds to open, to change the head and to follow the pointer."""

import sys
import tempfile
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))
import browser as finder

from lmkit.widgets import attention_map
from lmkit.widgets.attention_map import script

MEASURE = """async ([e]) => {
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
    await e.ready;
    const n = e.T;
    return {
        head: await timed((i) => e.setHead(i % e.layers.length, i % e.n_heads)),
        cell: await timed((i) => e.setHover({ q: n - 1 - (i * 7) % n, k: (i * 3) % n })),
        token: await timed((i) => e.setHover({ q: (i * 7) % n, k: null })),
    };
}"""


def maps(*shape):
    """Random causal maps, (n_layers, n_heads, T, T): rougher than a trained model's, so an upper end for the bytes."""
    scores = torch.randn(shape, generator=torch.Generator().manual_seed(0)) * 3
    allowed = torch.ones(shape[-2:], dtype=torch.bool).tril()
    return scores.masked_fill(~allowed, -torch.inf).softmax(-1)


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
            line += f"; {what} {median:.1f} ms (at most {most:.1f})"
        print(line)


def in_browser(path, shown):
    from playwright.sync_api import sync_playwright

    times = {}
    with sync_playwright() as p, tempfile.TemporaryDirectory() as folder:
        chromium = p.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        page = chromium.new_page(viewport={"width": 900, "height": 900})
        for shape, one in shown.items():
            file = Path(folder, "map.html")
            file.write_text(f"<!doctype html><meta charset=utf-8>{one.html()}{script()}", encoding="utf-8")
            page.goto(file.as_uri())
            seen = page.locator("lmkit-attention-map").evaluate_all(MEASURE)
            times[shape] = {"head": seen["head"], "hover a cell": seen["cell"], "hover a token": seen["token"]}
        chromium.close()
    return times


SHAPES = [(2, 4, 12, 12), (12, 12, 64, 64), (2, 8, 512, 512)]

if __name__ == "__main__":
    main()
