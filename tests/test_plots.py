"""Pictures: words beside them, the page's own colours, the same bytes each time."""

import xml.etree.ElementTree as ET

import pytest

from lmkit import plots


def line(alt="a line that rises <slowly> & surely"):
    fig, ax = plots.axes()
    ax.plot([1, 2, 4], label="it", color=plots.COLORS["blue"])
    ax.set(xlabel="x & y")
    ax.legend()
    return plots.picture(fig, alt)


def test_a_picture_is_the_same_each_time_and_says_what_it_shows():
    picture = line()
    bundle = picture._repr_mimebundle_()
    assert bundle == line()._repr_mimebundle_() and set(bundle) == {"text/plain", "text/html", "image/png"}
    assert repr(picture) == picture.alt and picture.png.startswith(b"\x89PNG")
    svg = ET.fromstring(picture.svg)[0]  # well-formed, though words hold < and &
    assert svg.get("role") == "img" and svg.get("aria-label") == picture.alt and "viewBox" in svg.attrib


def test_inline_pictures_take_the_pages_ink_and_font():
    svg = line().svg
    assert plots.INK not in svg and "currentColor" in svg and plots.COLORS["blue"].lower() in svg
    assert "DejaVu" not in svg and ">x &amp; y</text>" in svg  # words stay words, to be searched and read aloud


def test_two_pictures_on_a_page_share_no_id():
    ids = [{e.get("id") for e in ET.fromstring(line(alt).svg).iter() if e.get("id")} for alt in ("one", "two")]
    assert ids[0] and not ids[0] & ids[1]


def test_a_picture_without_words_is_refused():
    fig, _ = plots.axes()
    with pytest.raises(ValueError, match="alt must say what is to be seen"):
        plots.picture(fig, " ")


def test_a_loss_curves_ticks_do_not_depend_on_the_run():
    ticks = []
    for losses in ([6.2, 2.0, 0.6], [5.9, 1.0, 0.49]):
        svg = ET.fromstring(plots.loss_curve(losses, 0.476, "a fall", {"counter": 0.8}).svg)
        ticks.append([t.text for t in svg.iter("{http://www.w3.org/2000/svg}text")])
    assert ticks[0] == ticks[1] and {"0.5", "8", "exact floor 0.48", "counter 0.80"} <= set(ticks[0])


def test_words_written_later_take_the_pages_colour_too():
    fig, ax = plots.axes()
    ax.text(0.1, 0.5, "later")
    ax.text(0.5, 0.5, "red", color=plots.COLORS["red"])
    svg = plots.picture(fig, "two words").svg
    styles = [
        t.get("style")
        for t in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")
        if t.text in ("later", "red")
    ]
    assert "currentColor" in styles[0] and plots.COLORS["red"].lower() in styles[1].lower()
