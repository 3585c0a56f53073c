"""`make shots`: the pictures of the README, taken of the built book, light and dark, into assets/shots."""

import io
from pathlib import Path

import browser
from PIL import Image

TO = Path(__file__).resolve().parents[1] / "assets" / "shots"
WINDOW = {"width": 1020, "height": 800}
SHOTS = {  # name: the page, and what is to stand at the bottom of the window
    "chapter": ("chapters/03_attention.html", "lmkit-attention-map >> nth=3"),
    "measured": ("chapters/05_normalization.html", "[id^=measured] .lmkit-picture >> nth=0"),
}


def take(chromium, name, scheme):
    """A PNG of 256 colours, which nobody tells from all of them, at half the size."""
    where, what = SHOTS[name]
    page = chromium.new_page(viewport=WINDOW, color_scheme=scheme, reduced_motion="reduce", device_scale_factor=2)
    page.goto((browser.BOOK / where).as_uri(), wait_until="load")
    page.wait_for_function("!window.MathJax?.startup || MathJax.startup.promise.then(() => true)")
    page.add_style_tag(content=".btn-colab-not-set { display: none !important; }")
    page.locator(what).evaluate("e => scrollBy(0, e.getBoundingClientRect().bottom - innerHeight + 24)")
    page.wait_for_timeout(300)
    picture = Image.open(io.BytesIO(page.screenshot()))
    page.close()
    small = io.BytesIO()
    picture.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(small, "PNG", optimize=True)
    return small.getvalue()


def main():
    TO.mkdir(exist_ok=True)
    with browser.opened("the pictures") as chromium:
        for name in SHOTS:
            for scheme in ("light", "dark"):
                picture = take(chromium, name, scheme)
                (TO / f"{name}-{scheme}.png").write_bytes(picture)
                print(f"assets/shots/{name}-{scheme}.png: {len(picture) / 1000:.0f} kB")


if __name__ == "__main__":
    main()
