"""The page in a real browser: every view, what changes while one looks, and who can use it."""

import math
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser

from consumers.metrics.registry import Metrics
from consumers.roles.serve import status_board
from consumers.runtime.health import HealthServer
from stream.clock import SystemClock
from tests.consumers.browser import Visitor, pictures, visitor
from tests.consumers.serve_world import Api, World
from tests.consumers.views import view_of

ITEMS = {f"tea-{n}": 90.0 - 2.0 * n for n in range(25)} | {f"cup-{n}": 30.0 - n for n in range(25)}
VIEWS = {
    "now": ".figures dd:has-text('№')",
    "quality": "figure svg path.series",
    "user/ann": ".listed .why",
    "item/tea-0": "svg .node",
    "try": ".chips button",
}


def edges() -> dict[tuple[str, str], float]:
    """Return who goes on from what to what: mostly to what is near in the catalogue."""
    chance = np.random.default_rng(5)
    names = list(ITEMS)
    found = {}
    for at, name in enumerate(names):
        for step in range(1, 9):
            other = names[(at + step * step) % len(names)]
            found[name, other] = round(12.0 / step * float(chance.uniform(0.5, 1.5)), 2)
    return found


@dataclass
class Shop:
    """A service with traffic, and figures of a trainer that is at work."""

    world: World
    api: Api
    trainer: Metrics
    server: HealthServer

    @property
    def base(self) -> str:
        return f"http://{self.api.role.address}"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(status_board, "SCRAPE_SECONDS", 0.2)
        clock = SystemClock()
        trainer = Metrics("trainer", clock)
        server = HealthServer("127.0.0.1", 0, trainer, 60.0)
        ports = {"trainer_port": server.port, "ingest_port": 1, "publisher_port": 1}
        world = World(
            tmp_path_factory.mktemp("page"),
            {"scrape_roles": True, "timeout_seconds": 60.0},
            sections={"http": ports},
        )
        world.publish_view(view_of(ITEMS, edges(), now=clock.time()))
        world.publish_model(items=len(ITEMS))
        for at, user in enumerate(("ann", "anna", "bob", "carl")):
            world.click(user, *[f"tea-{(at + 3 * n) % 25}" for n in range(6)], "cup-3", offset=9)
            world.list(user, "tea-1", "cup-1", offset=9)
        world.list("", "tea-0", "tea-1", offset=None)
        ended = threading.Event()

        trainer.gauge("gsr_trainer_snapshot_version").set(1)

        def work() -> None:
            step = 0
            while not ended.wait(0.1):
                step += 1
                trainer.counter("gsr_trainer_clicks_scored_total").inc(30)
                for place, model in enumerate(("joint", "graph", "popularity")):
                    level = 0.1 * (3 - place) * (1.0 - math.exp(-step / 20)) + 0.01 * math.sin(step)
                    for name in ("gsr_trainer_hit_ratio", "gsr_trainer_ndcg_ratio"):
                        trainer.gauge(name).labels(model, "10", "all").set(abs(level))
                world.append(world.config.log.clicks, "ann", b"{}")

        traffic = threading.Thread(target=work)
        with world.serving() as api:
            api.ready()
            traffic.start()
            try:
                api.until("/v1/quality", lambda reply: len(reply.document["points"]) > 5)
                yield Shop(world, api, trainer, server)
            finally:
                ended.set()
                traffic.join()
                server.close()


@pytest.fixture
def somebody(shop: Shop, browser: Browser) -> Iterator[Visitor]:
    with visitor(browser, shop.base) as found:
        yield found


@pytest.mark.slow
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
def test_everybody_can_use_every_view(
    shop: Shop, browser: Browser, tmp_path: Path, dark: bool, phone: bool
) -> None:
    """axe-core finds nothing, nothing is wider than the window, nothing is asked of other hosts."""
    folder = pictures(tmp_path)
    with visitor(browser, shop.base, dark=dark, phone=phone) as found:
        for view, holds in VIEWS.items():
            found.open(view, holds)
            if view == "try":
                found.page.locator(".chips button").first.click()
                found.page.wait_for_selector(".listed .why")
            name = f"{view.partition('/')[0]}-{'dark' if dark else 'light'}"
            found.picture(folder / f"{name}{'-phone' if phone else ''}.png")
            assert found.violations() == [], view
            width = found.page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert width <= 0, view


@pytest.mark.slow
def test_a_user_is_searched_for(somebody: Visitor) -> None:
    """By the beginning of the id; the buffer is a timeline, each item has its reason in words."""
    somebody.open("user", ".chips a")
    somebody.page.get_by_label("User id").fill("ann")
    somebody.reads("Users that begin with ann")
    names = somebody.page.locator(".chips a")
    names.nth(1).wait_for()
    assert names.all_text_contents() == ["ann", "anna"]
    somebody.page.get_by_label("User id").press("Enter")
    somebody.page.wait_for_selector(".listed .why")
    assert somebody.page.locator("h1").text_content() == "User ann"
    assert somebody.page.locator(".timeline a").first.text_content() == "cup-3"
    for words in somebody.page.locator(".listed .why").all_text_contents():
        assert len(words) > 10
    shares = somebody.page.locator(".share").all_text_contents()
    assert shares
    assert all("sequence" in text and "graph" in text for text in shares)


@pytest.mark.slow
def test_who_is_unknown_gets_the_default_list(somebody: Visitor) -> None:
    """And the page says so."""
    somebody.open("user/nobody%20at%20all%2F", ".listed .why")
    assert somebody.page.locator("h1").text_content() == "User nobody at all/"
    somebody.reads("they get the default list")


@pytest.mark.slow
def test_an_item_shows_its_neighbours(somebody: Visitor) -> None:
    """As a picture with thicker edges for heavier ones, as a table, and as links to go on by."""
    somebody.open("item/tea-0", "svg .node")
    drawn = somebody.page.locator("svg a text").all_text_contents()
    assert len(drawn) == 8
    widths = [
        float(edge.get_attribute("stroke-width") or 0)
        for edge in somebody.page.locator("path.edge").all()
    ]
    assert widths == sorted(widths, reverse=True)
    assert widths[0] > 2.0 * widths[-1]
    somebody.page.get_by_text("As a table").click()
    somebody.page.get_by_role("region", name="Clicked after it (1 day)").wait_for()
    scales = somebody.page.locator("section[aria-labelledby=popularity] tbody tr").count()
    assert scales == somebody.page.locator("select option").count() - 3  # those of the colours
    somebody.page.locator("svg a").first.click()
    somebody.page.wait_for_function("document.querySelector('h1').textContent !== 'Item tea-0'")
    assert somebody.page.locator("h1").text_content() == f"Item {drawn[0]}"
    somebody.open("item/unknown", "[role=alert]:not([hidden])")
    somebody.reads("nobody has clicked it yet")


@pytest.mark.slow
def test_a_session_of_somebody_imaginary(somebody: Visitor) -> None:
    """The list changes with every click, says how, and goes back when a click is taken back."""
    somebody.open("try", ".chips button")
    page = somebody.page

    def names() -> list[str]:
        return page.locator(".listed .name a").all_text_contents()

    page.get_by_role("button", name="Click tea-0").first.click()
    page.wait_for_selector(".listed .why")
    first = names()
    assert "tea-0" not in first
    page.get_by_label("Find an item").fill("cup-7")
    page.get_by_label("Find an item").press("Enter")
    page.wait_for_selector(".moved")
    second = names()
    assert second != first
    assert "cup-7" not in second
    somebody.reads("items are new on the list")
    page.get_by_role("button", name="Take cup-7 back").click()
    page.wait_for_function(
        "first => first.join() === [...document.querySelectorAll('.listed .name a')]"
        ".map(one => one.textContent).join()",
        arg=first,
    )
    page.get_by_role("button", name="Begin anew").click()
    somebody.reads("Without a click there is no session")


@pytest.mark.slow
def test_everything_is_reached_by_keyboard(somebody: Visitor) -> None:
    """The first key leads past the head, and a view takes the focus when it opens."""
    somebody.open("now", ".figures dd")
    page = somebody.page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.get_by_role("link", name="Item", exact=True).focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("main[data-view=item] .chips a")
    assert page.evaluate("document.activeElement.id") == "main"
    assert page.locator("nav [aria-current=page]").text_content() == "Item"
    for _ in range(4):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("svg .node")


@pytest.mark.slow
def test_colours_are_chosen_and_kept(somebody: Visitor) -> None:
    """Against what the system says, also after the page is loaded again."""
    somebody.open("now", ".figures dd")
    page = somebody.page
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.get_by_label("Colours").select_option("dark")
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert dark != light
    page.reload()
    page.wait_for_selector(".figures dd")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == dark


@pytest.mark.slow
def test_what_goes_on_is_seen_while_one_looks(
    shop: Shop, browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rollback, drift, an alarm that begins and ends."""
    with visitor(browser, shop.base) as found:
        found.open("now", ".figures dd:has-text('№')")
        found.reads("trainer up")
        found.reads("ingest does not answer")
        shop.world.publish_model(items=len(ITEMS), seed=3)
        found.reads("model 2 was promoted")
        shop.world.artifacts.rollback(1)
        found.reads("rolled back to model 1, which serves as 3")
        shop.trainer.counter("gsr_trainer_drift_alarms_total").labels("adwin").inc()
        found.reads("a drift detector gave the alarm")
        monkeypatch.setattr(status_board, "VIEW_OLD_SECONDS", 0.0)
        found.reads("1 alarm")
        assert "the counters are" in (found.page.locator(".state").last.text_content() or "")
        found.picture(pictures(tmp_path) / "alarm.png")
        assert found.violations() == []
        monkeypatch.undo()
        found.reads("All is well")
        over = ".events li:has(.kind.alarm-over):has-text('the counters are')"
        found.page.wait_for_selector(over)
        found.open("quality", "figure svg")
        for mark in ("rollback", "drift"):  # upright lines have no width, so none is "visible"
            found.page.wait_for_selector(f"figure svg line.{mark}", state="attached")
        label = found.page.locator("figure svg[role=img]").first.get_attribute("aria-label") or ""
        assert "Rollbacks: 1, drift: 1" in label
        found.page.get_by_text("As a table").first.click()
        assert found.page.locator("table").first.locator("tbody tr").count() > 2
        found.picture(pictures(tmp_path) / "rollback.png")


@pytest.mark.slow
def test_a_token_is_asked_for(browser: Browser, tmp_path: Path) -> None:
    """Once per tab; a wrong one is asked for again, and it is in no address."""
    token = "0123456789abcdef0123"  # noqa: S105  # of nothing
    (tmp_path / "token").write_text(token)
    world = World(tmp_path / "state", {"token_file": str(tmp_path / "token")})
    world.publish_view()
    with world.serving() as api:
        api.ready()
        with visitor(browser, f"http://{api.role.address}") as found:
            page = found.page
            page.goto(f"{found.base}/")
            page.wait_for_selector("dialog[open]")
            assert found.violations() == []
            for given in ("wrong", token):
                page.get_by_role("textbox", name="Token").fill(given)
                page.get_by_role("button", name="Go on").click()
                page.wait_for_timeout(50)
                page.wait_for_selector("dialog[open], .figures dd")
            page.wait_for_selector(".figures dd")
            assert token not in page.url
            page.reload()
            page.wait_for_selector(".figures dd")
            assert page.locator("dialog[open]").count() == 0


@pytest.mark.slow
def test_it_says_when_the_service_is_away(browser: Browser, tmp_path: Path) -> None:
    """What was seen last stays below."""
    world = World(tmp_path)
    world.publish_view()
    with world.serving() as api:
        api.ready()
        context = browser.new_context()
        page = context.new_page()
        page.goto(f"http://{api.role.address}/")
        page.wait_for_selector(".figures dd")
        context.set_offline(True)
        page.wait_for_selector("[role=alert]:not([hidden])", timeout=60_000)
        assert "does not answer" in (page.locator("[role=alert]").text_content() or "")
        assert page.locator(".figures dd").count() > 4
        context.set_offline(False)
        page.wait_for_selector("[role=alert]", state="hidden", timeout=60_000)
        context.close()
