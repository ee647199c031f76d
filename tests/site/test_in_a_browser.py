"""The site of the guidance in headless Chromium."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from site_tools import Site

PAGES = (
    *("index", "promises", "benchmarks", "sqlspec-psqlpy/SKILL"),
    "sqlspec-psqlpy/references/transactions",
    "sqlspec-psqlpy/references/errata",
    "sqlspec-psqlpy/references/configuration",
)
TRANSACTIONS = "sqlspec-psqlpy/references/transactions.html"
Visit = Callable[..., Any]


@pytest.fixture(params=["served", "from files"])
def address(request: pytest.FixtureRequest, guidance_site: Site) -> str:
    if request.param == "served":
        return str(request.getfixturevalue("served"))
    return guidance_site.folder.as_uri() + "/"


@pytest.mark.parametrize("page", PAGES)
def test_a_page_complains_of_nothing_and_asks_nobody_else(
    visit: Visit, address: str, page: str
) -> None:
    shown = visit(f"{address}{page}.html")
    shown.wait_for_load_state("networkidle")
    assert shown.said == []
    assert shown.asked
    assert [url for url in shown.asked if not url.startswith((address, "data:"))] == []


@pytest.mark.parametrize("page", PAGES)
def test_a_page_fits_on_a_phone(visit: Visit, guidance_site: Site, page: str) -> None:
    shown = visit(f"{guidance_site.folder.as_uri()}/{page}.html", width=390)
    assert shown.evaluate("document.documentElement.scrollWidth") == 390
    wide = shown.evaluate(
        """() => [...document.querySelectorAll("article *")].filter(element => {
            if (element.closest("pre, .table-wrapper, .wide, [popover], dt")) return false;
            const box = element.getBoundingClientRect();
            return box.width > 0 && box.right > innerWidth + 1;
        }).map(element => element.outerHTML.slice(0, 120))"""
    )
    assert wide == []


@pytest.mark.parametrize("width", [768, 1024, 1264, 1280, 1312, 1313, 1366, 1408, 1600, 1920])
def test_a_page_fits_on_every_screen(visit: Visit, guidance_site: Site, width: int) -> None:
    page = visit(f"{guidance_site.folder.as_uri()}/{TRANSACTIONS}", width=width)
    assert page.evaluate("document.documentElement.scrollWidth") == width


def search(visit: Visit, address: str, words: str, width: int = 1280) -> Any:
    """Search as a reader does, from the home page."""
    page = visit(f"{address}index.html", width=width)
    page.fill("input.sidebar-search", words)
    page.press("input.sidebar-search", "Enter")
    page.wait_for_function("document.querySelector('#search-count')?.textContent")
    return page


def found(page: Any) -> list[str]:
    """Return the addresses of the results, within the site."""
    links = page.locator("#search-results a")
    return [link.get_attribute("href") for link in links.all()]


def test_search_finds_the_only_section_with_a_word_and_goes_there(
    visit: Visit, address: str, guidance_site: Site
) -> None:
    files = [
        name
        for name in guidance_site.pages
        if re.search(r"\bforgetful\b", guidance_site.text(name))
    ]
    assert files == [TRANSACTIONS]
    page = search(visit, address, "forgetful")
    section = "run-statements-as-one-transaction"
    assert found(page) == [f"{TRANSACTIONS}#{section}"]
    assert page.locator("#search-results mark").first.inner_text() == "forgetful"
    page.locator("#search-results a").first.click()
    page.locator(f"section#{section} .highlighted").first.wait_for()
    parts = urlsplit(page.url)
    assert (parts.path.endswith(TRANSACTIONS), parts.fragment) == (True, section)
    place = f"document.getElementById({section!r}).getBoundingClientRect().top"
    page.wait_for_function(f"{place} > -1 && {place} < innerHeight / 2")
    assert page.said == []


@pytest.mark.parametrize(
    ("words", "section"),
    [
        ("retry a deadlock", "transactions.html#retry-a-transaction-on-a-conflict"),
        ("how do I size the pool?", "pooling.html#size-the-pool"),
        ("keepalives_idle_sec", "best-practices.html#5-set-keepalives"),
        ("savepoints", "transactions.html#run-statements-as-one-transaction"),
        ("transacton conflct", "transactions.html#retry-a-transaction-on-a-conflict"),
    ],
    ids=["words", "a question", "an identifier", "a plural", "misspelt"],
)
def test_search_lists_the_section_among_the_first(
    visit: Visit, guidance_site: Site, words: str, section: str
) -> None:
    page = search(visit, guidance_site.folder.as_uri() + "/", words)
    assert f"sqlspec-psqlpy/references/{section}" in found(page)[:5]


def test_every_result_of_a_search_is_an_anchor_that_is_there(
    visit: Visit, guidance_site: Site
) -> None:
    results = found(search(visit, guidance_site.folder.as_uri() + "/", "session"))
    assert len(results) == 50
    for result in results:
        file, _, anchor = result.partition("#")
        assert anchor in guidance_site.pages[file].anchors


def test_search_answers_while_one_types(visit: Visit, guidance_site: Site) -> None:
    page = search(visit, guidance_site.folder.as_uri() + "/", "xyzzy")
    assert page.inner_text("#search-count") == "Nothing was found."
    page.fill("#search input", "savepoint")
    page.locator("#search-results a").first.wait_for()
    assert page.url.endswith("?q=savepoint")


def test_search_works_on_a_phone(visit: Visit, guidance_site: Site) -> None:
    page = visit(f"{guidance_site.folder.as_uri()}/search.html?q=savepoint", width=390)
    page.locator("#search-results a").first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") == 390


@pytest.mark.parametrize("width", [360, 390, 768, 1280])
@pytest.mark.parametrize("name", ["transactions", "errata", "errors", "replicas-and-poolers"])
def test_no_mark_stands_alone_on_a_line(
    visit: Visit, guidance_site: Site, name: str, width: int
) -> None:
    """Each is beside the last letter before it, and not below it."""
    address = f"{guidance_site.folder.as_uri()}/sqlspec-psqlpy/references/{name}.html"
    page = visit(address, width=width)
    alone = page.evaluate(
        """() => {
            const article = document.querySelector("article");
            const walker = document.createTreeWalker(article, NodeFilter.SHOW_TEXT);
            const texts = [];
            while (walker.nextNode()) {
                const text = walker.currentNode;
                if (text.data.trim() && !text.parentElement.closest("button")) texts.push(text);
            }
            const before = (mark) => texts.findLast(
                (text) => mark.compareDocumentPosition(text) & Node.DOCUMENT_POSITION_PRECEDING);
            return [...article.querySelectorAll("button.statement-mark")].filter((mark) => {
                const text = before(mark), end = text.data.trimEnd().length;
                const letter = new Range();
                letter.setStart(text, end - 1);
                letter.setEnd(text, end);
                const box = mark.getBoundingClientRect();
                return box.width && box.top > letter.getBoundingClientRect().bottom;
            }).map((mark) => mark.id);
        }"""
    )
    assert page.locator("article button.statement-mark").count() > 20
    assert alone == []


def test_a_mark_opens_its_proof_and_escape_closes_it(visit: Visit, address: str) -> None:
    page = visit(f"{address}{TRANSACTIONS}")
    mark = page.locator("#run-statements-as-one-transaction-s1")
    proof = page.locator(f"#{mark.get_attribute('popovertarget')}")
    assert not proof.is_visible()
    mark.click()
    assert proof.is_visible()
    said = proof.inner_text()
    assert "Outside a transaction every statement commits by itself." in said
    assert "stock: proven; bundled: proven" in said
    assert re.search(r"tests/proofs/test_transactions\w*\.py:\d+", said)
    assert "@proves(" in said
    assert "assert " in said
    page.keyboard.press("Escape")
    assert not proof.is_visible()
    assert page.said == []


def test_a_mark_is_reached_and_opened_by_keyboard(visit: Visit, guidance_site: Site) -> None:
    page = visit(f"{guidance_site.folder.as_uri()}/{TRANSACTIONS}")
    page.locator("#run-statements-as-one-transaction-s2").focus()
    page.keyboard.press("Enter")
    assert page.locator("div.proof:popover-open").count() == 1


def test_stock_and_bundled_stand_side_by_side_and_below_each_other_on_a_phone(
    visit: Visit, guidance_site: Site
) -> None:
    for width, beside in ((1280, True), (390, False)):
        page = visit(f"{guidance_site.folder.as_uri()}/{TRANSACTIONS}", width=width)
        strip = page.locator("#keep-a-batch-inside-your-transaction-fence-3")
        strip.locator("summary").click()
        stock, bundled = (
            column.bounding_box() for column in strip.locator(".ran-variants > div").all()
        )
        assert (stock["y"] == bundled["y"]) == beside


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_marks_and_verdicts_can_be_read_in_light_and_dark(
    visit: Visit, guidance_site: Site, scheme: str
) -> None:
    """Contrast of at least 4.5 to 1, WCAG 2.2, success criterion 1.4.3."""
    page = visit(f"{guidance_site.folder.as_uri()}/{TRANSACTIONS}", color_scheme=scheme)
    ratios = page.evaluate(
        """(chosen) => {
            const channels = colour => colour.match(/[\\d.]+/g).map(Number);
            const light = colour => channels(colour).slice(0, 3)
                .map(c => c / 255)
                .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
                .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
            const behind = element => {
                for (; element; element = element.parentElement) {
                    const colour = getComputedStyle(element).backgroundColor;
                    const [, , , alpha = 1] = channels(colour);
                    if (alpha > 0.99) return colour;
                }
                return "rgb(255, 255, 255)";
            };
            return chosen.map(selector => {
                const element = document.querySelector(selector);
                const pair = [light(getComputedStyle(element).color), light(behind(element))];
                return [selector, (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05)];
            });
        }""",
        ["article p", ".statement-mark.proven", ".verdict.passed", ".verdict.excused", ".ran-what"],
    )
    assert {name: round(ratio, 1) for name, ratio in ratios if ratio < 4.5} == {}


def test_the_theme_can_be_changed_by_hand(visit: Visit, guidance_site: Site) -> None:
    page = visit(f"{guidance_site.folder.as_uri()}/{TRANSACTIONS}", color_scheme="light")
    colour = "getComputedStyle(document.querySelector('.verdict.passed')).color"
    before = page.evaluate(colour)
    page.locator("button.theme-toggle >> visible=true").click()
    page.wait_for_function(f"{colour} !== {before!r}")
