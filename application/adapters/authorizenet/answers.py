"""Safe reading of the gateway's XML: no DTD, no entities, no network, and all text stays text.

The SDK's parser resolves external entities, cuts three characters blindly as a byte order mark and turns authorisation
code 000123 into the number 123; hence our own. Names are looked up without their namespace.
"""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

from lxml import etree

from application.ports import GatewayCodes

_CODE_LENGTH: Final = 12  # letters and digits
_PARSER: Final = etree.XMLParser(
    resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
)
_TEXT: Final = re.compile(">([ !-%'-;=?-~]+)<")  # printable ASCII but for & < >
_MOST_PLAIN: Final = 8 * 1024  # bytes, of an answer whose form is remembered; most are much shorter
_MOST_FORMS: Final = 64
_NUMBERS: Final = tuple(map(str, range(_MOST_PLAIN // 4)))  # a text takes no less, with its tag


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


class Said(NamedTuple):
    """What is asked of most answers, as trimmed texts; of each name the first."""

    name: str  # the root's
    ref_id: str | None
    messages: list[dict[str, str]]
    transaction: dict[str, str]  # inside transactionResponse
    errors: list[dict[str, str]]  # there
    results: list[dict[str, str]]  # the messages there


class Answer(Element):
    """A whole answer: what is asked of most in plain text, and the root element, read only if it is asked for more."""

    def __init__(self, said: Said, body: bytes, root: Any = None) -> None:
        super().__init__(root)
        self._body = body
        self._name = said.name
        self._messages = said.messages
        self.ref_id = said.ref_id
        self.transaction = said.transaction
        self.message_codes = _codes(said.messages, "code")
        self.has_errors = bool(said.errors)
        # the codes inside transactionResponse: of its errors, else of its messages
        self.reason_codes = _codes(said.errors, "errorCode") if said.errors else _codes(said.results, "code")
        self.codes = GatewayCodes(
            response_code=as_code(said.transaction.get("responseCode")),
            reason_code=self.reason_codes[0] if self.reason_codes else None,
            message_code=self.message_codes[0] if self.message_codes else None,
            avs_result=as_code(said.transaction.get("avsResultCode")),
            cvv_result=as_code(said.transaction.get("cvvResultCode")),
        )

    @property
    def name(self) -> str:
        return self._name

    @property
    def message_texts(self) -> list[str]:
        """For decisions only; never keep or log them."""
        return [message.get("text", "") for message in self._messages]

    def _listed(self) -> dict[str, list[Element]]:
        if self._node is None:
            self._node = root_of(self._body)
        return super()._listed()


def parse(body: bytes) -> Answer:
    """Read one answer. Raises Nonsense."""
    body = body.removeprefix(BOM_UTF8)
    if (plainly := said_plainly(body)) is not None:
        return Answer(plainly, body)
    root = root_of(body)
    return Answer(said(root), body, root)


def said_plainly(body: bytes) -> Said | None:
    """What an answer says, if its texts are as the gateway mostly writes them: printable ASCII. None of any other.

    Its form is all but the texts between two tags. Such texts cannot change what the tags mean, so that the tree of a
    form shows where each text belongs. Forms are few, and are remembered: no charge waits for a tree of its own.
    """
    if len(body) > _MOST_PLAIN or not body.isascii() or b"\0" in body:
        return None
    parts = _TEXT.split(body.decode("ascii"))
    if (form := _form("\0".join(parts[::2]))) is None:
        return None
    text = dict(zip(_NUMBERS, map(str.strip, parts[1::2]), strict=False))
    text[""] = ""  # of whom nothing is said

    def filled(row: dict[str, str]) -> dict[str, str]:
        return {name: text[number] for name, number in row.items()}

    return Said(
        form.name,
        None if form.ref_id is None else text[form.ref_id],
        list(map(filled, form.messages)),
        filled(form.transaction),
        list(map(filled, form.errors)),
        list(map(filled, form.results)),
    )


@lru_cache(maxsize=_MOST_FORMS)
def _form(tags: str) -> Said | None:
    """What an answer of this form says, with the texts' numbers in their places. None where it says anything else, and
    where a number may mean another thing than a text: in broken XML, in a comment or the like, in another encoding."""
    first, *others = tags.split("\0")
    numbered = first + "".join(f">{number}<{tags}" for number, tags in zip(_NUMBERS, others, strict=False))
    if "<!" in numbered or "<?" in numbered[1:] or "&" in numbered:
        return None
    try:
        root = root_of(numbered.encode())
    except Nonsense:
        return None
    if root.getroottree().docinfo.encoding not in (None, "utf-8", "UTF-8"):
        return None
    texts = [node.text for node in root.iter() if node.text]
    return said(root) if all(text in _NUMBERS or text.isspace() for text in texts) else None


def root_of(body: bytes) -> Any:
    """The root of the parser's tree. Raises Nonsense."""
    try:
        root = etree.fromstring(body, _PARSER)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise Nonsense("no well-formed XML") from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise Nonsense("a document type")
    return root


def said(root: Any) -> Said:
    """What an answer says, by its tree."""
    ref_id: str | None = None
    messages: list[dict[str, str]] = []
    transaction: dict[str, str] = {}
    errors: list[dict[str, str]] = []
    results: list[dict[str, str]] = []
    for child in root:
        match _name_of(child):
            case "refId" if ref_id is None:
                ref_id = (child.text or "").strip()
            case "messages":
                messages += _rows(child, "message")
            case "transactionResponse":
                for part in child:
                    match name := _name_of(part):
                        case "errors":
                            errors += _rows(part, "error")
                        case "messages":
                            results += _rows(part, "message")
                        case _:
                            transaction.setdefault(name, (part.text or "").strip())
    return Said(_name_of(root), ref_id, messages, transaction, errors, results)


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
