"""Safe reading of the gateway's XML: no DTD, no entities, no network, and all text stays text.

The SDK's parser resolves external entities, cuts three characters blindly as a byte order mark and turns authorisation
code 000123 into the number 123; hence our own. Names are looked up without their namespace.
"""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Sequence
from functools import cached_property
from typing import Any, Final

from lxml import etree

from application.ports import GatewayCodes

_CODE: Final = re.compile(r"[A-Za-z0-9]{1,12}")
_PARSER: Final = etree.XMLParser(
    resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
)


class Nonsense(Exception):
    """What came back is no answer of the API: broken XML, a document type, an unexpected root, a broken value."""


class Element:
    """One element of an answer. Its children are listed once, by name: asking the parser's tree for paths costs far
    more."""

    def __init__(self, node: Any) -> None:
        self._node = node
        self._named: dict[str, list[Element]] | None = None

    @property
    def name(self) -> str:
        return _name_of(self._node)

    def text(self, path: str) -> str | None:
        """The trimmed text of the first element at the path, as 'messages/resultCode'; None where there is none."""
        found = self.all(path)
        return (found[0]._node.text or "").strip() if found else None

    def all(self, path: str) -> Sequence[Element]:
        name, _, rest = path.partition("/")
        named = (self._named or self._listed()).get(name, ())
        if not rest:
            return named
        return named[0].all(rest) if len(named) == 1 else [found for child in named for found in child.all(rest)]

    def first(self, path: str) -> Element | None:
        found = self.all(path)
        return found[0] if found else None

    def code(self, path: str) -> str | None:
        """A code at the path. What does not look like a code is dropped: it could echo what was sent."""
        return as_code(self.text(path))

    def _listed(self) -> dict[str, list[Element]]:
        named: dict[str, list[Element]] = {}
        self._named = named
        for node in self._node:
            named.setdefault(_name_of(node), []).append(Element(node))
        return named


class Answer(Element):
    """A whole answer: the root element, with what every answer has."""

    @cached_property
    def message_codes(self) -> list[str]:
        return [code for message in self.all("messages/message") if (code := message.code("code"))]

    @property
    def message_texts(self) -> list[str]:
        """For decisions only; never keep or log them."""
        return [message.text("text") or "" for message in self.all("messages/message")]

    @cached_property
    def reason_codes(self) -> list[str]:
        """The codes inside transactionResponse: of its errors, else of its messages."""
        errors = [error.code("errorCode") for error in self.all("transactionResponse/errors/error")]
        messages = [message.code("code") for message in self.all("transactionResponse/messages/message")]
        return [code for code in errors or messages if code]

    @cached_property
    def codes(self) -> GatewayCodes:
        return GatewayCodes(
            response_code=self.code("transactionResponse/responseCode"),
            reason_code=next(iter(self.reason_codes), None),
            message_code=next(iter(self.message_codes), None),
            avs_result=self.code("transactionResponse/avsResultCode"),
            cvv_result=self.code("transactionResponse/cvvResultCode"),
        )


def parse(body: bytes) -> Answer:
    """Read one answer. Raises Nonsense."""
    try:
        root = etree.fromstring(body.removeprefix(BOM_UTF8), _PARSER)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise Nonsense("no well-formed XML") from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise Nonsense("a document type")
    return Answer(root)


def _name_of(node: Any) -> str:
    tag: str = node.tag
    return tag.rpartition("}")[2]


def as_code(text: str | None) -> str | None:
    return text if text and _CODE.fullmatch(text) else None
