"""Pages from templates: one environment for all, which escapes whatever is put into a page."""

from __future__ import annotations

import base64
from functools import cache

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined


@cache
def environment(package: str = "dmcvr.output") -> Environment:
    """The templates of ``package``, and those of ``dmcvr.output`` that all pages share.

    What a template names and is not given is an error, and every value is escaped.
    """
    names = dict.fromkeys((package, "dmcvr.output"))
    return Environment(
        loader=ChoiceLoader([PackageLoader(name) for name in names]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def data_url(content: bytes, kind: str) -> str:
    """The content of a picture as an address that needs no file. kind: as in ``image/png``."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
