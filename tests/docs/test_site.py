"""The built site in a real browser: what a reader sees, at a desk and on a telephone."""

import json

import numpy as np
import pytest

from refmarl.equations import EQUATIONS

pytestmark = pytest.mark.slow
ROWS = [e for e in EQUATIONS.values() if e.closed]
GENERATED = ("genindex", "search", "py-modindex", "source/")
DESK, PHONE = 1400, 390


@pytest.fixture
def show(browser, address):
    """Open a page at a width and wait until its mathematics is drawn."""
    from selenium.webdriver.support.ui import WebDriverWait

    def opened(page, width=DESK, theme="light"):
        screen = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
        media = {"features": [{"name": "prefers-color-scheme", "value": theme}]}
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
        for log in ("browser", "performance"):
            browser.get_log(log)
        browser.get(f"{address}/{page}")
        drawn = "return document.querySelectorAll('.math').length <= " \
            "document.querySelectorAll('mjx-container svg').length"  # fmt: skip
        WebDriverWait(browser, 60).until(lambda d: d.execute_script(drawn))
        return browser.execute_script

    return opened


def _pages(site):
    names = sorted(p.relative_to(site).as_posix() for p in site.rglob("*.html"))
    return [n for n in names if not n.startswith((*GENERATED, "api/", "_"))]


def _sound(js):
    """The problems that a page must not have, as texts."""
    found = []
    if js("return document.querySelectorAll('[data-mml-node=merror], mjx-merror').length"):
        found.append("a formula with an error")
    prose = """const page = document.querySelector('article').cloneNode(true);
        page.querySelectorAll('code, pre, script, mjx-container').forEach(e => e.remove());
        return page.innerText"""
    if any(sign in js(prose) for sign in ("$", "\\(", "\\[", "\\tag", "```", "](", "<!--")):
        found.append("raw Markdown or TeX")
    if js("return document.documentElement.scrollWidth > window.innerWidth"):
        found.append("scrolls sideways")
    silent = "img:not([alt]), article svg[role=img]:not([aria-label]):not(mjx-container svg)"
    if js(f"return document.querySelectorAll('{silent}').length"):
        found.append("a picture without a text")
    return found


@pytest.mark.parametrize("width", [DESK, PHONE])
def test_every_page_is_drawn_fits_and_fetches_nothing_from_elsewhere(
    site, browser, show, address, width
):
    problems = {}
    for page in _pages(site):
        found = _sound(show(page, width))
        found += [e["message"] for e in browser.get_log("browser") if e["level"] != "INFO"]
        for entry in browser.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                url = message["params"]["request"]["url"]
                found += [] if url.startswith((address, "data:")) else [f"asks for {url}"]
        if found:
            problems[page] = found
    assert problems == {}


@pytest.mark.parametrize("row", ROWS, ids=lambda e: e.label)
def test_equation_and_code_stand_side_by_side_or_stacked(show, row):
    page = f"{row.folder}/{row.label}.html"
    where = """const box = s => { const r = document.querySelector(s).getBoundingClientRect();
        return [r.left, r.top, r.right, r.bottom]; };
        return [box('.beside-text'), box('.beside-code')]"""
    js = show(page, DESK)
    text, code = js(where)
    assert text[2] <= code[0] + 1, "the code is not right of the equation"
    assert abs(text[1] - code[1]) < 60
    assert js("return document.querySelectorAll('.beside-code .hll').length") >= 1
    assert f"({row.tag})" in js("return document.querySelector('.beside-code .hll').innerText")
    text, code = show(page, PHONE)(where)
    assert code[1] >= text[3] - 1, "the code does not stand below the equation"


@pytest.mark.parametrize("row", ROWS, ids=lambda e: e.label)
def test_no_equation_at_a_desk_is_cut_off_or_shrunk_beyond_reading(show, row):
    js = show(f"{row.folder}/{row.label}.html", DESK)
    cut = """return [...document.querySelectorAll("div.math mjx-container[display='true']")]
        .filter(e => e.scrollWidth > e.clientWidth + 1 || parseFloat(e.style.fontSize || 100) < 70)
        .map(e => e.innerText + e.style.fontSize)"""
    assert js(cut) == []


def test_links_of_the_site_lead_to_files_and_places_that_exist(site):
    import re
    from html import unescape
    from urllib.parse import unquote

    names, broken = {}, []
    for path in site.rglob("*.html"):
        names[path] = set(re.findall(r' (?:id|name)="([^"]+)"', path.read_text("utf-8")))
    for path in names:
        if path.relative_to(site).as_posix().startswith("source/"):
            continue
        for link in set(re.findall(r'<a [^>]*href="([^"]+)"', path.read_text("utf-8"))):
            file, _, place = unquote(unescape(link)).partition("#")
            if re.match(r"[a-z]+:", file):
                continue
            target = (path.parent / file).resolve() if file else path
            if target.suffix == ".html":
                sound = target in names and (not place or place in names[target])
            else:
                sound = target.exists()
            if not sound:
                broken.append(f"{path.relative_to(site)} -> {link}")
    assert broken == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    "page", ["index.html", "s3_policy_gradient/gae.html", "equations.html", "api/nn.html"]
)
def test_text_has_the_contrast_that_wcag_asks_for(show, page, theme):
    js = show(page, DESK, theme)
    low = js(CONTRAST)
    assert low == []


CONTRAST = """
const rgb = s => s.match(/[\\d.]+/g).map(Number);
const lin = c => (c /= 255) <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4;
const lum = c => .2126 * lin(c[0]) + .7152 * lin(c[1]) + .0722 * lin(c[2]);
const behind = e => { for (; e; e = e.parentElement) {
  const c = rgb(getComputedStyle(e).backgroundColor);
  if (c.length < 4 || c[3] > .5) return c; } return [255, 255, 255]; };
const left_out = 'svg, mjx-container, script, style, .headerlink';
const found = new Set();
const walk = document.createTreeWalker(document.querySelector('article'), NodeFilter.SHOW_TEXT);
while (walk.nextNode()) {
  const e = walk.currentNode.parentElement;
  if (!walk.currentNode.data.trim() || e.closest(left_out)) continue;
  if (!e.getClientRects().length || getComputedStyle(e).visibility !== 'visible') continue;
  const a = lum(rgb(getComputedStyle(e).color)), b = lum(behind(e));
  const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
  if (ratio < 4.5) found.add(e.tagName + '.' + e.className + ' ' + ratio.toFixed(2));
}
return [...found]"""


def test_the_site_can_be_walked_with_the_keyboard(show, browser):
    from selenium.webdriver.common.keys import Keys

    js = show("s1_games/nash.html")
    seen, body = [], browser.find_element("tag name", "body")
    for _ in range(40):
        body.send_keys(Keys.TAB)
        body = browser.switch_to.active_element
        seen.append(js("return document.activeElement.outerHTML.slice(0, 60)"))
        style = "return getComputedStyle(document.activeElement).outlineStyle"
        assert js(style) != "none", f"no outline on {seen[-1]}"
    assert len(set(seen)) > 30


def test_search_finds_without_a_server_behind_it(show, browser):
    from selenium.webdriver.support.ui import WebDriverWait

    show("search.html?q=Shapley")
    results = lambda d: d.find_elements("css selector", "#search-results li")  # noqa: E731
    WebDriverWait(browser, 30).until(results)
    assert any("Shapley" in r.text for r in results(browser))


def test_the_advantages_that_the_page_computes_are_those_of_the_library(show):
    from refmarl.policy_gradient.returns import gae

    js = show("s3_policy_gradient/gae.html")
    data = json.loads(js("return document.getElementById('play-gae').dataset.play"))
    delta = np.array(data["delta"])
    no = np.zeros(len(delta), dtype=bool)
    for lam in (0.0, 0.35, 1.0):
        moved = f"""const i = document.querySelector('#play-gae input'); i.value = {lam};
            i.dispatchEvent(new Event('input'));
            return document.querySelector('#play-gae .said').innerText"""
        said = [float(x) for x in js(moved).partition(":")[2].split(",")]
        zero = np.zeros_like(delta)  # with V = 0, rewards are the TD errors
        wanted = gae(delta, zero, zero, no, no, data["gamma"], lam)
        np.testing.assert_allclose(said, wanted, atol=6e-4)


def test_the_equilibria_that_the_page_computes_are_those_of_the_library(show):
    from refmarl.games import NormalForm
    from refmarl.games.support import support_enumeration

    js = show("s1_games/best-response.html")
    data = json.loads(js("return document.getElementById('play-payoffs').dataset.play"))
    for prize in (1.5, 2.75, 4.0, 8.0):
        moved = f"""const i = document.querySelector('#play-payoffs input'); i.value = {prize};
            i.dispatchEvent(new Event('input'));
            return document.querySelector('#play-payoffs .said').innerText"""
        said = [
            [float(part.partition("=")[2]) for part in pair.split(",")]
            for pair in js(moved).partition(":")[2].rstrip(".").split(";")
        ]
        row = np.array(data["row"])
        row[0, 0] = prize
        found = support_enumeration(NormalForm.bimatrix(row, row.T)).profiles
        wanted = sorted([x[0], y[0]] for x, y in found)
        np.testing.assert_allclose(sorted(said), wanted, atol=6e-3)


def test_without_javascript_the_pictures_are_there(site):
    for page, name in (("s3_policy_gradient/gae", "gae"), ("s1_games/best-response", "payoffs")):
        text = (site / f"{page}.html").read_text("utf-8")
        inside = text.partition(f'id="play-{name}"')[2].partition("</div>")[0]
        assert "<svg" in inside
        assert "aria-label" in inside
