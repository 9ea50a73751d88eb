# SPDX-License-Identifier: GPL-3.0-or-later
"""Says in the file itself how the picture was made: XMP with IPTC's Digital Source Type.

In MP4 as a trailing ``uuid`` box, in PNG as an ``iTXt`` chunk (XMP specification part 3), and as a sidecar.
Vocabulary: https://cv.iptc.org/newscodes/digitalsourcetype/
"""

import struct
import zlib
from html import escape
from pathlib import Path

from ..pipeline.errors import InputError
from ..pipeline.mp4 import boxes
from ..pipeline.store import write_bytes

COMPOSITE = "compositeWithTrainedAlgorithmicMedia"
"""Rendered and filmed material with parts that a trained model made."""
CREATION = "digitalCreation"
"""Rendered and drawn by procedures; no trained model took part."""
_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
_UUID = bytes.fromhex("BE7ACFCB97A942E89C71999491E3AFAC")
_PNG_HEAD = b"\x89PNG\r\n\x1a\n"


def packet(source_type: str, system: str, title: str, note: str) -> bytes:
    """The XMP packet: ``source_type`` is a term of IPTC's vocabulary, ``system`` the models that took part."""
    return f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
 xmp:CreatorTool="Holdfast" Iptc4xmpExt:DigitalSourceType="{_TYPES}{escape(source_type)}"
 Iptc4xmpExt:AISystemUsed="{escape(system)}">
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{escape(title)}</rdf:li></rdf:Alt></dc:title>
<dc:description><rdf:Alt><rdf:li xml:lang="x-default">{escape(note)}</rdf:li></rdf:Alt></dc:description>
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="w"?>""".encode()


def put_in_mp4(path: Path, xmp: bytes) -> None:
    """Appends the packet to an MP4, in place of an older one. Raises InputError or StorageError."""
    data = path.read_bytes()
    kept = b"".join(data[b.start : b.end] for b in boxes(data) if not _is_xmp(data, b.kind, b.body))
    write_bytes(path, kept + struct.pack(">I4s", 24 + len(xmp), b"uuid") + _UUID + xmp)


def from_mp4(path: Path) -> bytes | None:
    """The XMP packet of an MP4, or None."""
    data = path.read_bytes()
    return next((data[b.body + 16 : b.end] for b in boxes(data) if _is_xmp(data, b.kind, b.body)), None)


def _is_xmp(data: bytes, kind: bytes, body: int) -> bool:
    return kind == b"uuid" and data[body : body + 16] == _UUID


def put_in_png(path: Path, xmp: bytes) -> None:
    """Writes the packet behind the PNG's header chunk. Raises InputError or StorageError."""
    data = path.read_bytes()
    if not data.startswith(_PNG_HEAD):
        raise InputError(f"{path.name} is not a PNG", where=str(path))
    body = b"XML:com.adobe.xmp\0\0\0\0\0" + xmp
    chunk = struct.pack(">I", len(body)) + b"iTXt" + body + struct.pack(">I", zlib.crc32(b"iTXt" + body))
    write_bytes(path, data[:33] + chunk + data[33:])
