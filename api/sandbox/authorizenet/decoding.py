"""Requests to the gateway: XML or JSON in, one validated element out. Both forms are strict and ordered."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lxml import etree

from api.sandbox.authorizenet.encoding import BYTE_ORDER_MARK, NAMESPACE, error_response

MAX_DEPTH = 20

_PREFIX = f"{{{NAMESPACE}}}"
_SCHEMA_FILE = etree.parse(str(Path(__file__).with_name("schema.xsd")))
_SCHEMA = etree.XMLSchema(_SCHEMA_FILE)
_OPERATIONS = frozenset(_SCHEMA_FILE.getroot().xpath("*[local-name() = 'element']/@name"))
_PARSER_OPTIONS: dict[str, bool] = {
    "resolve_entities": False,
    "no_network": True,
    "load_dtd": False,
    "huge_tree": False,
    "remove_comments": True,
    "remove_pis": True,
}
_UNEXPECTED = re.compile(
    r"Element '(?P<child>[^']+)': This element is not expected\.(?: Expected is.*?\((?P<next>.*)\))?"
)


class BadRequest(Exception):
    """The request is not in the gateway's form; `answer` says so in its words."""

    def __init__(self, code: str, text: str | None = None) -> None:
        super().__init__(code)
        self.answer = error_response(code, text)


class Element:
    """A validated request element, read by child names."""

    def __init__(self, node: Any) -> None:
        self._node = node

    @property
    def name(self) -> str:
        return str(etree.QName(self._node).localname)

    def text(self, *path: str) -> str | None:
        """The text at the path below, None where it is absent or empty."""
        node = self._find(path)
        return None if node is None or not node.text else str(node.text).strip() or None

    def child(self, *path: str) -> Element | None:
        node = self._find(path)
        return None if node is None else Element(node)

    def children(self) -> list[Element]:
        return [Element(node) for node in self._node]

    def _find(self, path: Sequence[str]) -> Any:
        return self._node.find("/".join(_PREFIX + name for name in path))


def decode(body: bytes, *, as_json: bool) -> Element:
    """The request, validated against the schema. Raises BadRequest (E00003, E00004, E00045)."""
    root = _read_json(body) if as_json else _read_xml(body)
    name = etree.QName(root)
    if name.namespace != NAMESPACE:
        raise BadRequest("E00045")
    if name.localname not in _OPERATIONS:
        raise BadRequest("E00004")
    if not _SCHEMA.validate(root):
        raise BadRequest("E00003", _complaint(root, _SCHEMA.error_log[0]))
    return Element(root)


def _read_xml(body: bytes) -> Any:
    try:
        root = etree.fromstring(body, etree.XMLParser(**_PARSER_OPTIONS))
    except (etree.XMLSyntaxError, ValueError) as error:
        raise BadRequest("E00003", "The request is not well-formed XML.") from error
    if root.getroottree().docinfo.doctype:
        raise BadRequest("E00003", "A document type declaration is not allowed.")
    return root


def _read_json(body: bytes) -> Any:
    try:
        # Numbers stay the text they came as, so that no amount passes through a float.
        document = json.loads(body.removeprefix(BYTE_ORDER_MARK), parse_float=str, parse_int=str)
    except (ValueError, RecursionError) as error:
        raise BadRequest("E00003", "The request is not well-formed JSON.") from error
    if not isinstance(document, dict) or len(document) != 1:
        raise BadRequest("E00003", "The request names no single operation.")
    [(name, content)] = document.items()
    try:
        root = etree.Element(_PREFIX + name, nsmap={None: NAMESPACE})
        _fill(root, content, MAX_DEPTH)
    except (ValueError, TypeError) as error:
        raise BadRequest("E00003", "The request cannot be read as the gateway's schema.") from error
    return root


def _fill(node: Any, content: object, depth: int) -> None:
    """Write JSON content into the element: the order of the keys is the order of the children."""
    if depth == 0:
        raise ValueError("nested too deep")
    if isinstance(content, dict):
        for name, value in content.items():
            for item in value if isinstance(value, list) else [value]:
                _fill(etree.SubElement(node, _PREFIX + name), item, depth - 1)
    elif isinstance(content, bool):
        node.text = str(content).lower()
    elif content is not None:
        node.text = str(content)


def _complaint(root: Any, error: Any) -> str:
    """The schema's first error, in the gateway's words where the order is at fault."""
    unexpected = _UNEXPECTED.match(error.message)
    if unexpected is None:
        return f"The request is invalid - {error.message.replace(_PREFIX, '')}"
    found = root.getroottree().xpath(error.path)
    parent = etree.QName(found[0].getparent()).localname if found else root.tag
    expected = (unexpected["next"] or "").replace(_PREFIX, "").strip()
    return (
        f"The element '{parent}' in namespace '{NAMESPACE}' has invalid child element "
        f"'{unexpected['child'].replace(_PREFIX, '')}' in namespace '{NAMESPACE}'. "
        f"List of possible elements expected: '{expected}' in namespace '{NAMESPACE}'."
    )
