from dataclasses import replace

from dmcvr.output.report.summary import Level, function, lights


def test_lights_tell_good_from_poor(data):
    def level(title, **changes):
        (light,) = (item for item in lights(replace(data.record, **changes), ends=0) if item.title == title)
        return light.level

    register = data.record.register
    assert level("Breath-hold shifts") is Level.GOOD
    assert level("Breath-hold shifts", register=replace(register, largest_mm=7.0)) is Level.LOOK
    assert level("Breath-hold shifts", register=replace(register, largest_mm=15.0)) is Level.POOR
    assert level("Breath-hold shifts", register=replace(register, source="none")) is Level.UNKNOWN
    assert level("Slices", input=replace(data.record.input, gaps_mm=[8.0, 17.7])) is Level.POOR
    assert level("Stroke volumes") is Level.GOOD
    odd = [{**frame, "RVC": 100.0} for frame in data.record.volumes]
    assert level("Stroke volumes", volumes=odd) is Level.POOR
    (ends,) = (item for item in lights(data.record, ends=4) if item.title == "Ends of the heart")
    assert (ends.level, ends.text[:4]) == (Level.LOOK, "8 mm")


def test_function_of_a_frame_of_unknown_phase_is_its_volume_alone(data):
    record = replace(data.record, ed=None, es=None, cycle=None)
    found = function(record)
    assert (found.left.volume_ml, found.left.ef_percent, found.right.volume_ml) == (120, None, 130)
