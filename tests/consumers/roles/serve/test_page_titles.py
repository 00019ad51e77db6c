"""Titles on the page, in a real browser: shown and searched for, and never obeyed."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.consumers.browser import Visitor, pictures, visitor
from tests.consumers.serve_world import World
from tests.consumers.titles import store_titles
from tests.consumers.views import view_of

ITEMS = {f"tea-{n}": 90.0 - 2.0 * n for n in range(20)} | {"bare": 20.0}
EDGES = {("tea-0", f"tea-{n}"): 20.0 - n for n in range(1, 8)} | {("tea-0", "bare"): 9.0}
HOSTILE = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
TITLES = {f"tea-{n}": f"Tea of hill {n}" for n in range(20)} | {
    "tea-1": HOSTILE,
    "tea-2": "A tea of such a long name that no list has room for all of its words " * 2,
    "tea-3": "שלום עולם",
}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    world = World(tmp_path_factory.mktemp("page"), {"timeout_seconds": 60.0})
    world.publish_view(view_of(ITEMS, EDGES, now=world.clock.time()))
    world.publish_model(items=len(ITEMS))
    world.click("ann", "tea-5", "tea-1", "bare", "tea-0", offset=9)
    world.list("ann", "tea-1", "tea-4", offset=9)
    store_titles(world.config, TITLES)
    with world.serving() as api:
        api.ready()
        yield f"http://{api.role.address}"


@pytest.fixture
def somebody(base: str, browser: Browser) -> Iterator[Visitor]:
    with visitor(browser, base) as found:
        yield found


@pytest.mark.slow
def test_titles_are_shown_with_ids_beside_them(somebody: Visitor) -> None:
    """In the buffer, in the list and its reasons; an item without one goes by its id."""
    somebody.open("user/ann", ".listed .why")
    page = somebody.page
    assert page.locator(".timeline a").all_text_contents() == [
        "Tea of hill 0",
        "bare",
        HOSTILE,
        "Tea of hill 5",
    ]
    assert page.locator(".timeline .id").all_text_contents() == ["tea-0", "tea-1", "tea-5"]
    names = page.locator(".listed .name a").all_text_contents()
    ids = page.locator(".listed .name .id").all_text_contents()
    assert [TITLES[item] for item in ids] == names
    assert page.get_by_text("because you clicked Tea of hill").count() > 0
    page.locator(".timeline a").first.click()
    page.wait_for_selector("svg .node")
    assert page.locator("h1").text_content() == "Tea of hill 0 tea-0"
    assert page.title() == "Tea of hill 0 \u2013 Item \u2013 gsr"
    drawn = page.locator("svg a title").all_text_contents()
    assert f"{HOSTILE} (tea-1): 19.0" in drawn
    assert "bare: 9.00" in drawn


@pytest.mark.slow
def test_items_are_found_by_their_titles(somebody: Visitor) -> None:
    """As one types, and by Enter; an id is still an id."""
    somebody.open("item", ".chips a")
    page = somebody.page
    field = page.get_by_label("Item id, or words of its title")
    field.fill("hill 1")
    somebody.reads("Popular items with an id or a title like hill 1")
    found = page.locator(".chips a")
    found.nth(5).wait_for()
    assert found.first.text_content() == "Tea of hill 10"
    assert found.first.get_attribute("title") == "tea-10"
    field.press("Enter")
    page.wait_for_selector("h1:has-text('Tea of hill 10')")
    assert page.url.endswith("#/item/tea-10")
    field.fill("bare")
    field.press("Enter")
    page.wait_for_selector("h1:has-text('Item bare')")
    field.fill("nothing like it")
    field.press("Enter")
    somebody.reads("nobody has clicked it yet")
    somebody.open("try", ".chips button")
    page.get_by_label("Find an item").fill("hill 12")
    page.get_by_label("Find an item").press("Enter")
    page.wait_for_selector(".listed .why")
    assert page.get_by_role("button", name="Take Tea of hill 12 back").count() == 1
    page.get_by_label("Find an item").fill("bare")
    page.get_by_label("Find an item").press("Enter")
    page.get_by_role("button", name="Take bare back").wait_for()


@pytest.mark.slow
@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
def test_titles_are_text_whatever_they_hold(
    base: str, browser: Browser, tmp_path: Path, phone: bool
) -> None:
    """No script of one runs, none widens the window, and everybody can use every view."""
    views = {"user/ann": ".listed .why", "item/tea-1": ".chips a", "item/tea-0": "svg .node"}
    with visitor(browser, base, phone=phone) as found:
        for view, holds in {**views, "try": ".chips button"}.items():
            found.open(view, holds)
            if view == "try":
                found.page.get_by_role("button", name="Click <script>").first.click()
                found.page.wait_for_selector(".listed .why")
            else:
                found.page.wait_for_selector(f"text={HOSTILE[:30]}", state="attached")
            name = f"titles-{view.partition('/')[2] or view}{'-phone' if phone else ''}"
            found.picture(pictures(tmp_path) / f"{name}.png")
            assert found.page.locator("main script, main img").count() == 0
            assert "owned" not in found.page.title().partition("<")[0]
            assert found.violations() == [], view
            width = found.page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert width <= 0, view
