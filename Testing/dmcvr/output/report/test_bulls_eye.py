from dmcvr.anatomy.segments17 import SEGMENTS
from dmcvr.output.report.bulls_eye import DARK, LIGHT, NOT_KNOWN, UNKNOWN, bulls_eye


def test_the_bulls_eye_has_each_segment_in_its_place():
    values = {name: float(number) for number, name in enumerate(SEGMENTS)}
    drawing = bulls_eye({**values, "apex": None}, "Wall", "mm", (0.0, 15.0))
    by_title = {sector.title.split(":")[0]: sector for sector in drawing.sectors}
    assert list(by_title) == list(SEGMENTS)
    assert by_title["basal anterior"].y < -70
    assert by_title["basal inferior"].y > 70
    assert by_title["mid inferoseptal"].x < 0 < by_title["mid inferoseptal"].y
    assert by_title["mid anterolateral"].x > 0 > by_title["mid anterolateral"].y
    assert by_title["apical septal"].x < -20
    apex = by_title["apex"]
    assert (apex.x, apex.y, apex.fill, apex.text) == (0, 0, UNKNOWN, NOT_KNOWN)
    assert (by_title["basal anterior"].text_colour, by_title["apical lateral"].text_colour) == (DARK, LIGHT)
