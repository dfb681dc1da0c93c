"""Safe reading of the gateway's XML: no DTD, no entities, no network, and all text stays text.

The SDK's parser resolves external entities, cuts three characters blindly as a byte order mark and turns authorisation
code 000123 into the number 123; hence our own. Names are looked up without their namespace.
"""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Sequence
from typing import Any, Final

from lxml import etree

from application.ports import GatewayCodes

_CODE_LENGTH: Final = 12  # letters and digits
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
        """The code at the path, if it is one."""
        return as_code(self.text(path))

    def _listed(self) -> dict[str, list[Element]]:
        named: dict[str, list[Element]] = {}
        self._named = named
        for node in self._node:
            named.setdefault(_name_of(node), []).append(Element(node))
        return named


class Answer(Element):
    """A whole answer: the root element, and in plain text what is asked of most answers, read in one pass."""

    def __init__(self, node: Any) -> None:
        super().__init__(node)
        self.ref_id: str | None = None
        self.transaction: dict[str, str] = {}  # the texts inside transactionResponse, the first of each name
        self._messages: list[dict[str, str]] = []
        errors: list[dict[str, str]] = []
        results: list[dict[str, str]] = []
        for child in node:
            match _name_of(child):
                case "refId" if self.ref_id is None:
                    self.ref_id = (child.text or "").strip()
                case "messages":
                    self._messages += _rows(child, "message")
                case "transactionResponse":
                    for part in child:
                        match name := part.tag.rpartition("}")[2]:
                            case "errors":
                                errors += _rows(part, "error")
                            case "messages":
                                results += _rows(part, "message")
                            case _:
                                self.transaction.setdefault(name, (part.text or "").strip())
        self.message_codes = _codes(self._messages, "code")
        self.has_errors = bool(errors)  # inside transactionResponse
        # the codes inside transactionResponse: of its errors, else of its messages
        self.reason_codes = _codes(errors, "errorCode") if errors else _codes(results, "code")
        said = self.transaction.get
        self.codes = GatewayCodes(
            response_code=as_code(said("responseCode")),
            reason_code=self.reason_codes[0] if self.reason_codes else None,
            message_code=self.message_codes[0] if self.message_codes else None,
            avs_result=as_code(said("avsResultCode")),
            cvv_result=as_code(said("cvvResultCode")),
        )

    @property
    def message_texts(self) -> list[str]:
        """For decisions only; never keep or log them."""
        return [message.get("text", "") for message in self._messages]


def parse(body: bytes) -> Answer:
    """Read one answer. Raises Nonsense."""
    try:
        root = etree.fromstring(body.removeprefix(BOM_UTF8), _PARSER)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise Nonsense("no well-formed XML") from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise Nonsense("a document type")
    return Answer(root)


def as_code(text: str | None) -> str | None:
    """A code. What does not look like one is dropped: it could echo what was sent."""
    return text if text and len(text) <= _CODE_LENGTH and text.isascii() and text.isalnum() else None


def _name_of(node: Any) -> str:
    tag: str = node.tag
    return tag.rpartition("}")[2]


def _rows(node: Any, name: str) -> list[dict[str, str]]:
    """Of each child with the name the texts inside, the first of each name."""
    rows = []
    for child in node:
        if _name_of(child) == name:
            row: dict[str, str] = {}
            for part in child:
                row.setdefault(part.tag.rpartition("}")[2], (part.text or "").strip())
            rows.append(row)
    return rows


def _codes(rows: list[dict[str, str]], name: str) -> list[str]:
    return [code for row in rows if (code := as_code(row.get(name)))]
