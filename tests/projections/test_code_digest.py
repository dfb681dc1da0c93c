"""The code digest follows what code does, not how it is written down."""

from __future__ import annotations

from pathlib import Path

import pytest

from projections.code_digest import code_digest

CODE = """def fold(event):
    if event == 1:
        return "a"
"""


def digest_of(code: str, folder: Path) -> str:
    file = folder / "model.py"
    file.write_text(code)
    return code_digest([file])


@pytest.mark.parametrize(
    "code",
    [
        CODE.replace("    if", "    # why\n\n    if"),
        CODE.replace("    if", '    """What it means."""\n    if'),
        f'"""What lives here."""\n\n{CODE}',
        CODE.replace('return "a"', "return 'a'").replace("event == 1", "(event == 1)"),
    ],
)
def test_comments_docstrings_and_layout_do_not_matter(code: str, tmp_path: Path) -> None:
    assert digest_of(code, tmp_path) == digest_of(CODE, tmp_path)


@pytest.mark.parametrize("code", [CODE.replace('"a"', '"b"'), CODE.replace("== 1", "== 2"), f"{CODE}\nLIMIT = 1\n"])
def test_another_handler_has_another_digest(code: str, tmp_path: Path) -> None:
    assert digest_of(code, tmp_path) != digest_of(CODE, tmp_path)


def test_a_body_that_is_only_a_docstring_is_code_too(tmp_path: Path) -> None:
    assert digest_of('def f():\n    """Nothing."""\n', tmp_path) == digest_of("def f():\n    pass\n", tmp_path)
