"""What each code of Authorize.net means, as a status of our API.

Reason codes come inside `transactionResponse` (https://developer.authorize.net/api/reference/responseCodes.html),
message codes (I00001, E00027) at the top of an answer. A code that is not listed here has no meaning we rely on.
"""

from __future__ import annotations

from typing import Final

KEYS_REFUSED: Final = "invalid-payment-processor-api-keys"
GATEWAY_ERROR: Final = "external-application-error"
CARD_STATUSES: Final = frozenset({"declined-payment", "card-number-invalid", "card-expired", "failed-payment"})

PARTIAL_APPROVAL: Final = "295"
ALREADY_VOIDED: Final = "310"
SCHEMA_ERROR: Final = "E00003"
NOT_FOUND: Final = "E00040"
BUSY: Final = frozenset({"E00053", "E00104"})  # too many requests at once; maintenance

# After these nobody can say whether the money moved: a time-out or a failed reversal between gateway and processor,
# or the gateway's own unexpected failure.
UNSURE: Final = frozenset(
    ["19", "20", "52", "120", "121", "122", "152", "181", "E00001", "E00049", "E00053", "E00062", "E00063", "E00104"],
)

_REASONS: Final = {
    "approved": "1",
    "held-for-review": "104-110 193 252-253",
    "duplicate-payment": "11 318",
    "declined-payment": "2-4 27 41 44-45 65 127-128 141 145 165 191 250-251 254",
    "card-number-invalid": "6 37 200 315",
    "card-expired": "8 317",
    "failed-payment": "7 9-10 17-18 28 36 56 78 88-89 101 116-119 153-156 201 295 312-313 316",
    KEYS_REFUSED: "13 32 103 115 123 130-132",
    GATEWAY_ERROR: "0 5 12 14-16 19-26 29-31 33-35 38-40 42-43 46-55 57-64 66-77 79-87 90-100 102 111-114 120-122 124"
    " 152 170-175 180-181 185 192 195 202-248 260-262 265 270-271 280-290 296-298 300-311 314 319-320 325-328 330-334"
    " 339-344 350-351 901 2000-2009 2100-2109",
}
_ERRORS: Final = {  # E00001 and so on
    "failed-payment": "27 40 98 114 155",
    KEYS_REFUSED: "5-8 10-11 59 64 79-81",
    GATEWAY_ERROR: "1-4 9 12-26 28-39 41-58 60-63 65-78 82-97 99-107",
}
_INFORMATION: Final = {"ok-no-transaction": "1-11 99999"}  # I00001 and so on


def _numbers(ranges: str) -> list[int]:
    """'2-4 27' as [2, 3, 4, 27]."""
    bounds = [part.partition("-") for part in ranges.split()]
    return [number for first, _, last in bounds for number in range(int(first), int(last or first) + 1)]


STATUS: Final[dict[str, str]] = {
    pattern.format(number): status
    for pattern, table in (("{}", _REASONS), ("E{:05d}", _ERRORS), ("I{:05d}", _INFORMATION))
    for status, ranges in table.items()
    for number in _numbers(ranges)
}
