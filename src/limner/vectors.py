"""SVG files of anybody's, read so that drawing them opens no other file."""

import re
import zlib
from contextlib import suppress
from pathlib import Path
from xml.etree import ElementTree

from limner.errors import UserError
from limner.files import read_bytes

GZIP = b"\x1f\x8b"
"""How a compressed SVG begins."""
MOST = 2**26
"""Bytes of one that is not compressed any more."""
DEEPEST = 200
"""Elements within each other, of which too many crash what draws them."""
EMBEDDED = r"[ \t\r\n]*data:[^#,]*,|$"
"""How what is embedded begins, or that nothing is named; without the comma it would be the name of a file."""
ANY = re.compile("")
SHOWING = {"image": re.compile(EMBEDDED, re.IGNORECASE), "feImage": re.compile(f"{EMBEDDED}|#", re.IGNORECASE)}
"""Elements that show what may be in another file, and how what is in their own begins."""


def read_svg(path: Path) -> str:
    """An SVG as it is understood, written anew: what it names is in it.

    UserError for one that shows another file, which is not read, for one that is too large or nested too deeply, and
    for what is none.
    """
    content = read_bytes(path)
    try:
        if content.startswith(GZIP):
            content = zlib.decompressobj(wbits=31).decompress(content, MOST + 1)
        root = _parsed(content) if len(content) <= MOST else None
    except (ElementTree.ParseError, LookupError, ValueError, zlib.error) as error:
        raise UserError(f"{path}: is not an SVG that can be drawn ({error})") from None
    if root is None:
        raise UserError(f"{path}: is an SVG of more than {MOST >> 20} MiB: simplify it")
    level, depth = [root], 0
    while level := [element for each in level for element in each]:
        depth += 1
        if depth > DEEPEST:
            raise UserError(f"{path}: is not an SVG that can be drawn (it nests too deeply)")
    for element in root.iter():
        own = SHOWING.get(_plain(element.tag), ANY)
        others = [value for name, value in element.items() if _plain(name) == "href" and not own.match(value)]
        if others:
            raise UserError(f"{path}: shows another file, {others[0][:99]}, which is not read: embed it")
    return ElementTree.tostring(root, "unicode")


def _parsed(content: bytes) -> ElementTree.Element:
    """What is UTF-8 is read as that, whatever it says that it is."""
    if b"\0" not in content:  # as UTF-16 has
        with suppress(UnicodeDecodeError):
            content.decode()
            return ElementTree.fromstring(content.lstrip(), ElementTree.XMLParser(encoding="utf-8"))
    return ElementTree.fromstring(content)


def _plain(name: object) -> str:
    """The name of an element or an attribute without its namespace."""
    return str(name).rpartition("}")[2]
