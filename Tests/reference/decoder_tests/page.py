"""The page of examples."""

from __future__ import annotations

import examples
from decoder_tests.checks import Checks


class PageTests(Checks):
    """spec/EXAMPLES.md is what tools/fixtures/examples.py writes."""

    def test_page(self) -> None:
        page = examples.page_text()
        same = examples.PAGE.read_text(encoding="utf-8") == page
        self.check("page", same, "spec/EXAMPLES.md is stale: run tools/fixtures/examples.py")
        self.check("again", examples.page_text() == page)
        self.check("length", page.count("\n") < 920)
