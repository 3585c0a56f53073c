"""The pictures of the README: they are there, small, and the script still finds what they show."""

import io
import re

import pytest
import shots
from PIL import Image

from conftest import ROOT

NAMED = re.findall(r"assets/shots/[\w-]+\.png", (ROOT / "README.md").read_text(encoding="utf-8"))


def test_the_readme_shows_all_of_them_in_light_and_dark():
    made = [f"assets/shots/{name}-{scheme}.png" for name in shots.SHOTS for scheme in ("dark", "light")]
    assert NAMED == made
    assert all((ROOT / name).stat().st_size < 150_000 for name in NAMED)


@pytest.mark.parametrize("name", shots.SHOTS)
def test_the_script_finds_what_they_show(book, browser, name):
    light, dark = (Image.open(io.BytesIO(shots.take(browser, name, scheme))) for scheme in ("light", "dark"))
    assert light.size == dark.size == (2 * shots.WINDOW["width"], 2 * shots.WINDOW["height"])
    brightness = [picture.convert("L").resize((1, 1)).getpixel((0, 0)) for picture in (light, dark)]
    assert brightness[0] > 200 and brightness[1] < 80
