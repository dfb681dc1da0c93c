"""From bytes to the typed format: strict JSON within limits, no duplicate keys, no card numbers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from application.adapters.directory.import_format import DirectoryFile
from application.adapters.directory.import_values import InvalidImport

FILE_MAX_BYTES = 64 * 1024 * 1024

# 13 to 19 digits (ISO/IEC 7812), alone or with single separators, as people write a card number.
CARD_LIKE = re.compile(r"(?<![0-9])[0-9](?:[\W_]?[0-9]){12,18}(?![0-9])")


def decode(raw: bytes) -> DirectoryFile:
    """The file in its format. Raises InvalidImport with the place of the first fault."""
    if len(raw) > FILE_MAX_BYTES:
        raise InvalidImport("", f"the file is larger than {FILE_MAX_BYTES} bytes")
    try:
        tree = json.loads(raw.decode(), object_pairs_hook=_without_duplicates)
        _refuse_card_numbers(tree)
        return msgspec.json.decode(raw, type=DirectoryFile)
    except msgspec.ValidationError as error:
        raise _explained(str(error)) from None
    except UnicodeDecodeError:
        raise InvalidImport("", "the file is not UTF-8") from None
    except RecursionError:
        raise InvalidImport("", "the file is nested too deep") from None
    except json.JSONDecodeError as error:
        raise InvalidImport("", f"the file is not JSON: {error}") from None
    except (ValueError, msgspec.DecodeError):  # half a surrogate pair, a number of thousands of digits
        raise InvalidImport("", "the file is not JSON") from None


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise InvalidImport("", "an object of the file has the same key twice")
    return found


def _refuse_card_numbers(tree: Any) -> None:
    if isinstance(tree, dict):
        for path, text in _leaves(tree.get("payment_methods"), "payment_methods"):
            if any(_passes_luhn(match[0]) for match in CARD_LIKE.finditer(text)):
                raise InvalidImport(path, "looks like a full card number, which must never come here")


def _leaves(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Every scalar and every key below `value`, as text, with its path."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield path, key
            yield from _leaves(item, f"{path}.{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _leaves(item, f"{path}[{index}]")
    elif isinstance(value, str | int | float):
        yield path, str(value)


def _passes_luhn(text: str) -> bool:
    """The check digit of ISO/IEC 7812-1, annex B."""
    digits = [int(character) for character in reversed(text) if character in "0123456789"]
    doubled = (digit * 2 - 9 if digit > 4 else digit * 2 for digit in digits[1::2])
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


def _explained(message: str) -> InvalidImport:
    """msgspec's message as path and reason: `Expected `int`, got `str` - at `$.sessions[1].user_id``."""
    reason, _, place = message.partition(" - at ")
    path = "".join(re.findall(r"`\$\.?([^`]*)`", place))
    if field := re.fullmatch(r"Object (missing required|contains unknown) field `(.*)`", reason, re.DOTALL):
        kind, name = field.groups()
        if kind == "contains unknown":
            return InvalidImport(path, "has a field that is not part of the format")
        return InvalidImport(f"{path}.{name}".lstrip("."), "is missing")
    if reason.startswith("Invalid enum value"):  # and the value
        return InvalidImport(path, "is none of the allowed values")
    return InvalidImport(path, reason.replace("`", "").replace("Expected", "expected"))
