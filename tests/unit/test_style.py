"""The colours: apart from each other for every kind of colour vision, and to be seen on white."""

from itertools import combinations

import numpy as np
import pytest

from analysis.charts.drawing.style import COLOURS, colours, looks

# Machado, Oliveira & Fernandes (2009), "A Physiologically-based Model for Simulation of Color Vision Deficiency",
# severity 1.0, of linear RGB.
VISIONS = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
# Ottosson (2020), "A perceptual color space for image processing".
LMS = np.array(
    [[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566],
     [0.0883024619, 0.2817188376, 0.6299787005]]
)  # fmt: skip
LAB = np.array(
    [[0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099],
     [0.0259040371, 0.7827717662, -0.8086757660]]
)  # fmt: skip
APART = {"normal": (0.15, 0.11), "protanopia": (0.09, 0.09), "deuteranopia": (0.075, 0.075), "tritanopia": (0.08, 0.08)}
CONTRAST = 2.0


def linear(colour):
    rgb = np.array([int(colour[place : place + 2], 16) for place in (1, 3, 5)]) / 255
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def seen(colour, vision):
    return LAB @ np.cbrt(LMS @ np.clip(VISIONS[vision] @ linear(colour), 0, 1))


def nearest(palette, vision):
    """How far the two colours that are most alike are apart, in OKLab: black and white are 1 apart."""
    return min(np.linalg.norm(seen(one, vision) - seen(other, vision)) for one, other in combinations(palette, 2))


@pytest.mark.parametrize("vision", VISIONS)
def test_colours_stay_apart_for_every_kind_of_vision(vision):
    of_six, of_all = APART[vision]
    assert nearest(COLOURS[:6], vision) >= of_six
    assert nearest(COLOURS, vision) >= of_all


def test_the_measure_knows_what_red_and_green_are_to_some():
    assert nearest(["#A04000", "#607000"], "normal") > 0.15
    assert nearest(["#A04000", "#607000"], "deuteranopia") < 0.05
    assert np.linalg.norm(seen("#FFFFFF", "normal") - seen("#000000", "normal")) == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("colour", COLOURS)
def test_every_colour_can_be_seen_on_white(colour):
    luminance = linear(colour) @ [0.2126, 0.7152, 0.0722]
    assert 1.05 / (luminance + 0.05) >= CONTRAST


def test_a_backend_has_the_same_colour_everywhere_and_no_two_look_alike():
    tags = [f"back-{number}" for number in range(30)]
    assert len(set(looks(tags).values())) == 30
    assert list(colours(tags[:12]).values()) == list(COLOURS)
    assert colours(tags[:3]) == {tag: colours(tags)[tag] for tag in tags[:3]}
    assert looks(tags)["back-0"].line != looks(tags)["back-12"].line
