"""The built documentation, as a browser shows it: on desktop and phone, in light and in dark.

`make docs` writes it into `build/docs`. Without that, or without Chromium, the tests are skipped.
"""

from __future__ import annotations

import contextlib
import functools
import re
import shutil
import sys
import threading
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin

import pytest

ROOT = Path(__file__).resolve().parent.parent
SITE = ROOT / "build" / "docs"
CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
FLAGS = ("headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking")
VIEWS = {"desktop, light": (1280, "light"), "phone, dark": (390, "dark")}

pytestmark = pytest.mark.skipif(
    not (SITE / "index.html").exists(), reason="the documentation is not built: `make docs`"
)
with_browser = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="Chromium and its driver are not installed")

# Returns what is wrong on the page that is shown, as sentences.
INSPECT = r"""
const [theme] = arguments, page = document.documentElement, article = document.querySelector("article"), wrong = [];
const visible = (x) => x.offsetParent !== null;
for (const x of document.querySelectorAll(".math")) {
  const drawn = x.querySelector(".katex") && !x.querySelector(".katex-error");
  if (!drawn) wrong.push(`formula is not drawn: ${x.textContent}`);
}
for (const x of document.querySelectorAll("article img")) {
  const hidden = x.classList.contains(theme == "dark" ? "only-light" : "only-dark");
  if (hidden && visible(x)) wrong.push(`picture of the other theme: ${x.src}`);
  if (hidden || !visible(x)) continue;
  if (!(x.complete && x.naturalWidth)) wrong.push(`picture is not shown: ${x.src}`);
  if (theme == "dark" && getComputedStyle(x).filter != "none") wrong.push(`picture is greyed in the dark: ${x.src}`);
}
const overflow = page.scrollWidth - page.clientWidth;
if (overflow > 1) wrong.push(`the page is ${overflow} pixels wider than the window`);
const scrolls = (x) => /auto|scroll/.test(getComputedStyle(x).overflowX);
const inside = (x) => x != article && (scrolls(x) || inside(x.parentElement));
const parts = article ? article.querySelectorAll("table, pre, img, p, .math, h1, h2, h3, dt") : [];
for (const x of parts) {
  const beyond = x.getBoundingClientRect().right > article.getBoundingClientRect().right + 1;
  if (visible(x) && beyond && !inside(x)) wrong.push(`cut off: ${x.tagName} ${x.textContent.slice(0, 60)}`);
}
return wrong;
"""


class Links(HTMLParser):
    """The targets of the links and pictures of a page, and the places in it that links can name."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.targets: set[str] = set()
        self.places: set[str] = set()
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id":
                self.places.add(value or "")
            elif value and (name == "href" or (name == "src" and tag in {"img", "script"})):
                self.targets.add(value)


def pages() -> list[str]:
    """All pages but those of search and index, which Sphinx makes."""
    names = (path.relative_to(SITE).as_posix() for path in SITE.rglob("*.html") if "_static" not in path.parts)
    return sorted(name for name in names if name not in {"search.html", "genindex.html", "py-modindex.html"})


def test_no_link_inside_the_site_is_broken():
    read = {name: Links(SITE / name) for name in pages()}
    broken = []
    for name, links in read.items():
        for target in links.targets:
            path, place = urldefrag(urljoin(name, unquote(target)))
            if re.match(r"[a-z]+:", path):
                continue
            there = (SITE / path.split("?")[0]).exists()
            if not there or (place and path in read and place not in read[path].places):
                broken.append(f"{name}: {target}")
    assert broken == []


def test_initials_of_authors_are_no_lists():
    listed = [
        page.name
        for page in SITE.glob("generated/*.html")
        if re.search(r'<ol class="\w+(alpha|roman)', page.read_text())
    ]
    assert listed == []


@pytest.fixture(scope="module")
def address():
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=SITE))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@contextlib.contextmanager
def browser(width, theme, folder):
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for flag in (*FLAGS, f"user-data-dir={folder}"):
        options.add_argument(f"--{flag}")
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    try:
        metrics = {"width": width, "height": 1200, "deviceScaleFactor": 1, "mobile": width < 600}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        code = f"localStorage.setItem('theme', '{theme}'); localStorage.setItem('mode', '{theme}')"
        driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": code})
        yield driver
    finally:
        driver.quit()


@with_browser
@pytest.mark.parametrize("view", VIEWS)
def test_every_page_is_shown_whole(view, address, tmp_path):
    width, theme = VIEWS[view]
    wrong = []
    with browser(width, theme, tmp_path) as driver:
        for name in pages():
            driver.get(f"{address}/{name}")
            assert driver.execute_script("return document.documentElement.dataset.theme") == theme
            wrong += [f"{name}: {what}" for what in driver.execute_script(INSPECT, theme)]
            wrong += [f"{name}: {line['message']}" for line in driver.get_log("browser") if line["level"] == "SEVERE"]
    assert not wrong, "\n".join(wrong)


ASKED = {"AUROC", "AUPR", "PRO", "DAGMM", "VAE", "hypersphere", "Dice", "F-score", "OOD", "NT-Xent", "SPOT"}


@with_browser
def test_the_search_finds_a_function_by_its_other_names(address, tmp_path, monkeypatch):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait

    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    from synonyms import SYNONYMS

    missed = []
    with browser(1280, "light", tmp_path) as driver:
        for name, others in SYNONYMS.items():
            for other in {others[0], *ASKED.intersection(others)}:
                driver.get(f"{address}/search.html?q={other}")
                WebDriverWait(driver, 10).until(lambda d: d.find_element(By.CSS_SELECTOR, ".search-summary").text)
                found = [x.text for x in driver.find_elements(By.CSS_SELECTOR, "ul.search > li > a")][:3]
                missed += [f"{other}: {found}, not {name}"] * (not any(name in title for title in found))
    sys.modules.pop("synonyms", None)
    assert missed == []
