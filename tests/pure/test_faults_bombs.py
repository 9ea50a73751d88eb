# SPDX-License-Identifier: GPL-3.0-or-later
"""Files and answers made to fill the memory or to be taken for something else: bounded, said, and nothing is kept."""

import gzip
import io
import json
import struct
import sys
import zipfile
import zlib
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
from holdfast.clients import probe as probe_module
from holdfast.clients.calls import Reply, parsed
from holdfast.clients.download import download
from holdfast.clients.probe import probe
from holdfast.pipeline.errors import InputError, ProviderBusy, ProviderRejected

from ..loopback import media
from ..loopback.raw import Raw, answered, answers, drip, request_of, reset
from .fault_parts import peak_mb, quick, wire_to

CAP_MB = 100.0
linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@pytest.fixture(autouse=True)
def small_limits(monkeypatch):
    quick(monkeypatch)
    monkeypatch.setattr("holdfast.clients.download.TRIES", 2)


# -- answers ---------------------------------------------------------------------------------------------------------

JSON = {
    "a million brackets": b"[" * 1_000_000,
    "a million objects": b'{"a":' * 1_000_000,
    "31 MB of empty lists": b"[" + b"[]," * 10_000_000 + b"0]",
    "31 MB of objects": b"[" + b"{}," * 10_000_000 + b"0]",
    "31 MB of numbers": b"[" + b"0.5," * 7_500_000 + b"0]",
    "31 MB of names": b"{" + b",".join(b'"%d":1' % n for n in range(2_500_000)) + b"}",
    "a number of a million digits": b'{"id": ' + b"9" * 1_000_000 + b"}",
    "no UTF-8": b'{"id": "\xff\xfe"}',
}


@linux
@pytest.mark.parametrize("name", JSON)
def test_json_bombs_are_no_answer(name):
    def read():
        assert Reply(200, {}, JSON[name]).table == {}

    took, said = peak_mb(read)
    print(f"{name}: {took:.1f} MB")
    assert said == "" and took < CAP_MB


def test_a_large_honest_answer_is_read():
    """Four pictures inside, and a list of everything that a server has."""
    pictures = {
        "data": [{"b64": "A" * (6 << 20)} for _ in range(4)],
        "nodes": {str(n): [n, n] for n in range(99_999)},
    }
    assert Reply(200, {}, json.dumps(pictures).encode()).table == pictures


def test_odd_json_is_what_python_makes_of_it():
    assert Reply(200, {}, b'{"id": 1, "id": 2}').table == {"id": 2}
    assert str(parsed(b"NaN")) == "nan" and parsed(b"1e999") == float("inf")


# -- downloads -------------------------------------------------------------------------------------------------------


def bring(url: str, folder: Path, kinds=("mp4",), most=1 << 20):
    return download(wire_to(url), "/files/x", folder, "00", kinds, most)


@pytest.mark.parametrize(
    ("body", "kinds", "says"),
    [
        (b"<!DOCTYPE html><title>Sign in</title>", ("mp4",), "something else than mp4.*Sign in"),
        (b'{"error": "expired"}', ("png",), "something else than png.*json"),
        (media.png(), ("mp4",), "something else than mp4.*png"),
        (b"", ("mp4",), "something else than mp4"),
        (gzip.compress(media.mp4()), ("mp4",), "something else than mp4"),
    ],
)
def test_what_is_something_else_is_said_and_not_kept(tmp_path, body, kinds, says):
    _, talk = answers(answered(body, headers="Content-Type: video/mp4\r\n"))
    with Raw(talk) as server, pytest.raises(ProviderRejected, match=says):
        bring(server.url, tmp_path, kinds)
    assert list(tmp_path.iterdir()) == [] and server.met == 1


@pytest.mark.parametrize("told", [True, False])
def test_too_large_is_cut_off_whether_it_is_told_or_not(tmp_path, told):
    def talk(link):
        request_of(link)
        length = f"Content-Length: {1 << 40}\r\n" if told else ""
        link.sendall(f"HTTP/1.1 200 OK\r\n{length}\r\n".encode())
        while True:
            link.sendall(media.mp4() + bytes(1 << 16))

    with Raw(talk) as server, pytest.raises(ProviderRejected, match="than is allowed"):
        bring(server.url, tmp_path)
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 1000 and server.met == 1


@linux
def test_a_packed_bomb_as_a_download_is_refused_unread(tmp_path):
    bomb = gzip.compress(bytes(100 << 20))
    _, talk = answers(answered(bomb, headers="Content-Encoding: gzip\r\n"))
    with Raw(talk) as server:
        took, said = peak_mb(partial(bring, server.url, tmp_path, ("mp4",), 1 << 30))
    print(f"100 MB packed into {len(bomb) >> 10} kB: {took:.1f} MB")
    assert "packed, which was not asked for" in said and took < 20


@linux
def test_a_packed_bomb_as_an_answer_is_unpacked_no_further_than_allowed():
    bomb = gzip.compress(bytes(160 << 20))

    def ask():
        from holdfast.clients.calls import Call

        wire_to(server.url).ask(Call("GET", "/jobs/1"))

    _, talk = answers(answered(bomb, headers="Content-Encoding: gzip\r\n"))
    with Raw(talk) as server:
        took, said = peak_mb(ask)
    print(f"160 MB packed into {len(bomb) >> 10} kB: {took:.1f} MB")
    assert "more than 32 MB" in said and took < CAP_MB


def test_a_download_that_breaks_off_is_taken_up_again(tmp_path):
    film, asked = media.mp4(), []

    def talk(link):
        asked.append(request_of(link))
        head = f'ETag: "f"\r\nContent-Range: bytes 100-{len(film) - 1}/{len(film)}\r\n'
        if len(asked) == 1:
            return link.sendall(answered(film[:100], length=len(film), headers='ETag: "f"\r\n'))
        return link.sendall(answered(film[100:], status="206 Partial Content", headers=head))

    with Raw(talk) as server:
        found = bring(server.url, tmp_path)
    assert found.path.read_bytes() == film and server.met == 2
    taken = int(asked[1].split(b"bytes=")[1].split(b"-")[0])
    assert taken == 100


def test_a_download_that_is_reset_before_its_head_is_asked_for_again(tmp_path):
    """It is in no doubt, as a create would be, and no reason to give up what was paid for."""
    met = []

    def talk(link):
        met.append(request_of(link))
        if len(met) == 1:
            return reset(link)
        return link.sendall(answered(media.mp4()))

    with Raw(talk) as server:
        assert bring(server.url, tmp_path).path.read_bytes() == media.mp4()


def test_a_download_that_all_but_stops_is_given_up_for_now(tmp_path):
    def talk(link):
        request_of(link)
        link.sendall(answered(b"", length=100_000))
        drip(link, bytes(500), 0.02)

    with Raw(talk) as server, pytest.raises(ProviderBusy, match="broke off"):
        bring(server.url, tmp_path)
    assert server.met == 2


def test_another_part_than_was_asked_for_is_not_glued_on(tmp_path):
    film = media.mp4()
    head = f'ETag: "f"\r\nContent-Range: bytes 0-{len(film) - 1}/{len(film)}\r\n'
    wrong = answered(film, status="206 Partial Content", headers=head)
    cut = answered(film[:100], length=len(film), headers='ETag: "f"\r\n')
    _, talk = answers(cut, wrong)
    with Raw(talk) as server, pytest.raises(ProviderBusy, match="another place"):
        bring(server.url, tmp_path)


# -- results ---------------------------------------------------------------------------------------------------------


def png(
    width: int, height: int, data: bytes, *more: tuple[bytes, bytes], depth: int = 8, colour: int = 6
) -> bytes:
    """A PNG of any header and chunks."""
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    chunks = [(b"IHDR", head), *more, (b"IDAT", data), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )


def glb(scene: dict, blob: bytes = b"") -> bytes:
    """A GLB of any description."""
    text = json.dumps({"asset": {"version": "2.0"}, **scene}).encode()
    text += b" " * (-len(text) % 4)
    chunks = struct.pack("<II", len(text), 0x4E4F534A) + text
    chunks += struct.pack("<II", len(blob), 0x004E4942) + blob if blob else b""
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks


def accessor(count: int, **more) -> dict:
    return {"componentType": 5126, "type": "VEC3", "count": count, **more}


def film_of(width: int, height: int) -> bytes:
    """A film that says so of itself in its track and its samples, but not in its pictures."""
    film = bytearray(media.mp4())
    at = film.find(b"mp4v", film.find(b"stsd"))
    struct.pack_into(">HH", film, at + 28, width, height)
    struct.pack_into(">II", film, film.find(b"tkhd") + 4 + 76, width << 16, height << 16)
    return bytes(film)


def avi_of(folder: Path, width: int, height: int) -> bytes:
    """A film whose pictures are as large as it says."""
    path = folder / "made.avi"
    film = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 24, (64, 36))
    film.write(np.zeros((36, 64, 3), np.uint8))
    film.release()
    data = bytearray(path.read_bytes())
    struct.pack_into("<ii", data, data.find(b"strf") + 12, width, height)
    at = data.find(b"\xff\xc0")
    struct.pack_into(">HH", data, at + 5, height, width)
    return bytes(data)


def exr(width: int, height: int) -> bytes:
    window = struct.pack("<4i", 0, 0, width - 1, height - 1)
    return b"\x76\x2f\x31\x01\x02\0\0\0dataWindow\0box2i\0\x10\0\0\0" + window + b"\0" * 64


def zipped(*files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, content in enumerate(files):
            archive.writestr(f"{number}.bin", content)
    return out.getvalue()


VIEW = {"buffers": [{"byteLength": 48}], "bufferViews": [{"buffer": 0, "byteLength": 48}]}
BOMBS = {
    "header of 100000 x 100000": (png(100_000, 100_000, b""), "too large to be honest"),
    "13000 x 13000 of 16 bits, packed": (png(13_000, 13_000, zlib.compress(bytes(99_999)), depth=16), "too large"),
    "40 text chunks of 4 MB": (
        png(8, 8, zlib.compress(bytes(264)), *[(b"zTXt", b"k\0\0" + zlib.compress(bytes(4 << 20)))] * 40), "damaged"),
    "iTXt of 96 MB": (
        png(8, 8, zlib.compress(bytes(264)), (b"iTXt", b"k\0\1\0\0\0" + zlib.compress(bytes(96 << 20)))), "damaged"),
    "colour profile of 96 MB": (
        png(8, 8, zlib.compress(bytes(264)), (b"iCCP", b"k\0\0" + zlib.compress(bytes(96 << 20)))), "damaged"),
    "picture of text": (b"\x89PNG\r\n\x1a\n<html>", "damaged picture"),
    "EXR of 100000 x 100000": (exr(100_000, 100_000), "too large to be honest"),
    "film that only says 65535 x 65535": (film_of(65_535, 65_535), ""),
    "film that only says 20000 x 20000": (film_of(20_000, 20_000), ""),
    "film without a picture": (media.mp4()[:40], "film without a picture"),
    "GLB of 1e12 points": (glb({**VIEW, "accessors": [accessor(10**12, bufferView=0)]}, bytes(48)), "more points than"),
    "GLB of 1e12 zeros": (glb({"accessors": [accessor(10**12)]}), "more points than"),
    "GLB of many zeros": (glb({"accessors": [accessor(1 << 20)] * 30}), "more points than"),
    "GLB of -1 points": (glb({"accessors": [accessor(-1)]}), "damaged mesh"),
    "GLB of a view beyond": (glb({"buffers": [{}], "bufferViews": [{"buffer": 0, "byteLength": 1 << 40}],
                                  "accessors": [accessor(1, bufferView=0)]}, bytes(48)), "more points than"),
    "GLB of a million nodes": (glb({"nodes": [{}] * 1_000_001}), "damaged mesh"),
    "GLB with a picture bomb": (glb({"buffers": [{}], "bufferViews": [{"buffer": 0, "byteLength": 57}],
                                     "images": [{"bufferView": 0}]}, png(99_999, 99_999, b"")), "too large to be honest"),
    "GLB with no picture": (glb({"images": [{"bufferView": 7}]}), ""),
    "archive of 512 MB of zeros": (zipped(*[bytes(64 << 20)] * 8), "made to fill the disk"),
    "archive of 20001 files": (zipped(*[b""] * 20_001), "made to fill the disk"),
    "torn archive": (zipped(b"x" * 99)[:-30], "damaged archive"),
    "JSON of a million lists": (b"[" + b"[]," * 1_000_000 + b"0]", "damaged"),
}  # fmt: skip


@linux
@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_told_from_their_heads(tmp_path, name):
    content, says = BOMBS[name]
    path = tmp_path / "00.bin"
    path.write_bytes(content)
    took, said = peak_mb(lambda: probe(path))
    print(f"{name} ({len(content) >> 10} kB): {took:.1f} MB, {said}")
    assert took < CAP_MB
    if says:
        assert said.startswith("InputError: The result is ") and says in said
    else:
        assert said == ""


@linux
def test_a_film_of_huge_pictures_is_told_before_one_is_decoded(tmp_path):
    path = tmp_path / "00.avi"
    path.write_bytes(avi_of(tmp_path, 16_000, 16_000))
    took, said = peak_mb(lambda: probe(path))
    print(f"{took:.1f} MB, {said}")
    assert "film of 16000 x 16000, too large" in said and took < CAP_MB


def test_what_is_honest_passes(tmp_path):
    for name, content in (
        ("a.png", media.png()), ("a.mp4", media.mp4()), ("a.glb", media.glb()), ("a.zip", zipped(b"1", b"2")),
        ("a.exr", exr(4096, 2160)), ("a.json", b'{"a": [1, 2]}'),
        ("b.glb", glb({**VIEW, "accessors": [accessor(4, bufferView=0), accessor(1000)]}, bytes(48))),
    ):  # fmt: skip
        (tmp_path / name).write_bytes(content)
        probe(tmp_path / name)


def test_a_picture_is_refused_by_what_it_takes_in_memory(tmp_path, monkeypatch):
    (tmp_path / "a.png").write_bytes(media.png())
    monkeypatch.setattr(probe_module, "MOST_BYTES", 64 * 36 * 4 - 1)
    with pytest.raises(InputError, match="64 x 36"):
        probe(tmp_path / "a.png")
