"""`python -m tests.browser.screenshots DIR`: every page at desktop and phone width, light and dark, to be looked at.

Exit codes: 0 done, 2 no browser.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.browser.browsing import DESKTOP, MISSING, PHONE, chromium, lively_world, opened_browser, signed_in_page
from tests.browser.figure_pages import FIGURE_PAGES
from tests.browser.pages import PAGES, SIGN_IN, fixed

FIGURES = {name: fixed(path.removeprefix("/console")) for name, path in FIGURE_PAGES.items()}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.browser.screenshots", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="", help="pages whose name holds this")
    options = parser.parse_args(arguments)
    if chromium() is None:
        sys.stderr.write(MISSING + "\n")
        return 2
    options.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name, lively_world(Path(name)) as world, opened_browser() as browser:
        for width, size in (("desktop", DESKTOP), ("phone", PHONE)):
            for scheme in ("light", "dark"):
                with signed_in_page(browser, world.url, "ed", scheme=scheme, size=size) as page:
                    for shown, path in {**PAGES, **FIGURES, "sign-in": SIGN_IN}.items():
                        if options.only not in shown:
                            continue
                        if path is SIGN_IN:
                            page.context.clear_cookies()
                        page.goto(path(world))
                        page.screenshot(path=options.folder / f"{shown}-{width}-{scheme}.png", full_page=True)
                sys.stderr.write(f"{width} {scheme}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
