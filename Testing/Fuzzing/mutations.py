"""Damage to valid files: bytes, numbers in binary and in text, lines, and pieces moved about.

Everything is drawn from the given generator, so a seed names a file.
"""

from __future__ import annotations

import gzip
import re
import struct
import zlib
from collections.abc import Sequence
from random import Random

HEADER_BYTES = 400
"""Where damage is most often put: what decides how the rest is read stands at the front."""
NUMBERS = (0, 1, -1, 2, 3, 7, 127, 128, 255, 256, 32767, -32768, 65535, 2**31 - 1, -(2**31), 2**32 - 1)
FLOATS = (0.0, -0.0, -1.0, 1e-30, 1e-3, 1e9, 1e30, -1e30, float("inf"), float("-inf"), float("nan"))
WORDS = (
    b"", b"0", b"-1", b"1", b"4", b"nan", b"inf", b"-inf", b"1e400", b"1e-320", b"99999999999999999999",
    b"-2147483649", b"65536", b"none", b"null", b"true", b"[]", b"{}", b'""', b"\xff\xfe", b"\x00",
    b"\xc3\xa9", b'"\\u0000"', b'"\\ud800"', b"'", b"../x", b"%s%n", b"\xd9\xa3",
)  # fmt: skip
LONGEST = 1 << 20


def mutate(data: bytes, others: Sequence[bytes], random: Random) -> bytes:
    """``data`` damaged in one to four ways; pieces may come from ``others``. At most LONGEST bytes.

    What is packed with gzip is most often unpacked, damaged and packed again: damage to packed bytes rarely
    gets past the checksum.
    """
    if data[:2] == b"\x1f\x8b" and random.random() < 0.8:
        inner = mutate(gzip.decompress(data), [_unpacked(other) for other in others], random)
        return gzip.compress(inner, 1, mtime=0)
    for _ in range(random.choice((1, 1, 1, 2, 2, 3, 4))):
        data = random.choice(KINDS)(data, others, random)[:LONGEST]
    return data


def _unpacked(data: bytes) -> bytes:
    return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data


def _place(data: bytes, random: Random) -> int:
    end = len(data) if random.random() < 0.3 else min(len(data), HEADER_BYTES)
    return random.randrange(end + 1)


def _bits(data: bytes, others: Sequence[bytes], random: Random) -> bytes:
    out = bytearray(data)
    for _ in range(random.choice((1, 1, 2, 8)) if data else 0):
        out[min(_place(data, random), len(out) - 1)] ^= 1 << random.randrange(8)
    return bytes(out)


def _bytes(data: bytes, others: Sequence[bytes], random: Random) -> bytes:
    at = _place(data, random)
    new = random.randbytes(random.choice((1, 1, 2, 4, 16)))
    return data[:at] + new + data[at + len(new) :]


def _number(data: bytes, others: Sequence[bytes], random: Random) -> bytes:
    order = random.choice("<>")
    if random.random() < 0.5:
        size, code = random.choice(((1, "B"), (2, "H"), (4, "I"), (8, "Q")))
        new = struct.pack(order + code, random.choice(NUMBERS) % 2 ** (8 * size))
    else:
        value, code = random.choice(FLOATS), random.choice("fd")
        new = struct.pack(order + code, value)
    at = _place(data, random)
    if random.random() < 0.7:  # fields of binary headers lie at even places
        at -= at % min(len(new), 4)
    return data[:at] + new + data[at + len(new) :]


def _word(data: bytes, others: Sequence[bytes], random: Random) -> bytes:
    """A number or a word of the text becomes another."""
    pattern = rb"-?[0-9][0-9.e+-]*" if random.random() < 0.6 else rb"[A-Za-z_]+|\"[^\"]*\""
    found = list(re.finditer(pattern, data[: 10 * HEADER_BYTES]))
    if not found:
        return _bytes(data, others, random)
    one = random.choice(found)
    new = random.choice((*WORDS, random.choice(found)[0], one[0] * random.choice((2, 50))))
    return data[: one.start()] + new + data[one.end() :]


def _line(data: bytes, others: Sequence[bytes], random: Random) -> bytes:
    """A line of the text is lost, doubled, or changes place with another."""
    lines = data[: 10 * HEADER_BYTES].split(b"\n")
    a, b = random.randrange(len(lines)), random.randrange(len(lines))
    kind = random.randrange(3)
    if kind == 0:
        del lines[a]
    elif kind == 1:
        lines.insert(b, lines[a])
    else:
        lines[a], lines[b] = lines[b], lines[a]
    return b"\n".join(lines) + data[10 * HEADER_BYTES :]


def _cut(data: bytes, others: Sequence[bytes], random: Random) -> bytes:
    return data[: _place(data, random)]


def _lose(data: bytes, others: Sequence[bytes], random: Random) -> bytes:
    at = _place(data, random)
    return data[:at] + data[at + random.choice((1, 2, 4, 8, 64, 512)) :]


def _repeat(data: bytes, others: Sequence[bytes], random: Random) -> bytes:
    at, size = _place(data, random), random.choice((1, 2, 8, 64))
    return data[:at] + data[at : at + size] * random.choice((2, 3, 1000, 20000)) + data[at + size :]


def _splice(data: bytes, others: Sequence[bytes], random: Random) -> bytes:
    other = random.choice(others)
    return data[: _place(data, random)] + other[_place(other, random) :]


def _pack(data: bytes, others: Sequence[bytes], random: Random) -> bytes:
    """The end is packed as if it were to be unpacked, or is a stream that unpacks to very much."""
    at = _place(data, random)
    return data[:at] + (zlib.compress(data[at:]) if random.random() < 0.5 else BOMB)


BOMB = gzip.compress(bytes(1 << 26), 9, mtime=0)
KINDS = (_bits, _bytes, _number, _number, _word, _word, _line, _cut, _lose, _repeat, _splice, _pack)
