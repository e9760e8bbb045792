import base64
import io
from dataclasses import replace

from dmcvr.output.report.page import page as report_page
from PIL import Image


def test_a_cine_is_shown_beating(data, parsed):
    eight = [0, 0, 1, 1, 2, 2, 3, 3]
    record = replace(
        data.record,
        volumes=[data.record.volumes[index] for index in eight],
        stack_volumes=[data.record.stack_volumes[index] for index in eight],
        frames=list(range(8)),
        input=replace(data.record.input, frames=8),
        es=4,
    )
    whole = replace(
        data,
        volume=data.volume[eight],
        labels=data.labels[eight],
        stack=data.stack.select(frames=eight),
        stack_labels=data.stack_labels[eight],
        record=record,
    )
    page = parsed(report_page(whole))
    (moving,) = (attrs["src"] for attrs in page.all("img") if attrs["src"].startswith("data:image/webp"))
    (still,) = (attrs for attrs in page.all("source"))
    assert still["media"] == "(prefers-reduced-motion: reduce)"
    frames = [
        Image.open(io.BytesIO(base64.b64decode(source.split(",")[1]))) for source in (moving, still["srcset"])
    ]
    # WebP joins frames that are alike.
    assert 4 <= frames[0].n_frames <= 8
    assert getattr(frames[1], "n_frames", 1) == 1
    assert frames[0].size == frames[1].size
