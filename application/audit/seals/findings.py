"""What a verification can find."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    EDITED = "edited"
    DELETED = "deleted"
    REORDERED = "reordered"
    INSERTED = "inserted"
    CUT_TAIL = "cut-tail"
    RESTORED = "restored-old-backup"
    CHANGED = "changed"  # one of the above; what would tell which was changed too
    SEALS_ALTERED = "seals-altered"


@dataclass(frozen=True)
class Finding:
    """Something that is not as it was sealed. `up_to`: where only a range is known, its end."""

    kind: Kind
    position: int  # of the first event that is concerned
    text: str
    up_to: int | None = None
