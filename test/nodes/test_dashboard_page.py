# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The live page in a browser, from a scene to what a person sees."""

import json
import re
import socket

import pytest

pytest.importorskip('aiohttp', reason='the live page needs aiohttp')

# What a browser and two nodes take on a busy computer [ms].
_PATIENCE = 40_000
# Where the talker of these tests stands [deg].
_AZIMUTH_DEG = 60
# Where a talker's mark is on the screen, as an azimuth [deg]: counter-clockwise from up, as the
# page shows the front upwards.
_SHOWN_DEG = """() => {
  const picture = document.querySelector('#polar svg').getBoundingClientRect();
  const marks = [...document.querySelectorAll('[data-talker] .shape')];
  return marks.map((mark) => {
    const box = mark.getBoundingClientRect();
    const x = box.x + box.width / 2 - (picture.x + picture.width / 2);
    const y = box.y + box.height / 2 - (picture.y + picture.height / 2);
    return Math.atan2(-x, -y) * 180 / Math.PI;
  });
}"""


# An arrow points to them. On a busy computer, sound is lost, and another one may point to nobody.
_POINTS = f'() => ({_SHOWN_DEG})().some((a) => Math.abs(a - {_AZIMUTH_DEG}) < 10)'


@pytest.fixture(scope='module')
def running(talk, scene, every_node, tmp_path_factory):
    """The pipeline with its page, on a talker who stands still; a function starts it again."""
    content = json.loads(open(scene).read()) | {'azimuth_deg': _AZIMUTH_DEG, 'speed_deg': 0.0}
    path = tmp_path_factory.mktemp('still') / 'still.yaml'
    path.write_text(json.dumps(content))
    with socket.create_server(('127.0.0.1', 0)) as free:
        port = free.getsockname()[1]
    with talk() as (start, _):

        def run():
            process = every_node(start, scene=str(path), port=port, allow_control=True)
            process.wait_for('#token=')
            process.url = re.search(r'with control: (\S+)', process.output)[1]
            return process

        yield run


@pytest.fixture(scope='module')
def process(running):
    return running()


@pytest.fixture
def visit(browser):
    """Open a page; what is wrong with it fails the test."""
    contexts, errors = [], []

    def open_page(url, **options):
        context = browser.new_context(**({'viewport': {'width': 1280, 'height': 900}} | options))
        contexts.append(context)
        context.set_default_timeout(_PATIENCE)
        page = context.new_page()
        page.on('pageerror', lambda error: errors.append(str(error)))
        page.on('console', lambda m: errors.append(m.text) if m.type == 'error' else None)
        page.on('request', lambda r: errors.append(r.url) if '127.0.0.1' not in r.url else None)
        page.goto(url)
        return page

    yield open_page
    for context in contexts:
        context.close()
    # The browser itself says that the node was away, and that a token was refused.
    expected = re.compile('ERR_CONNECTION_REFUSED|401')
    assert [e for e in errors if not expected.search(e)] == []


def _wait(page, expression):
    page.wait_for_function(expression, timeout=_PATIENCE, polling=50)


def test_the_arrow_points_to_the_talker(process, visit):
    page = visit(process.url)
    _wait(page, _POINTS)
    assert re.search(r'[Tt]alker \d+, [56]\d degrees left', page.inner_text('#sentence'))
    assert page.inner_text('#connection') == 'Live'
    # What is read out comes in steps of ten degrees.
    _wait(page, "() => document.querySelector('#spoken').textContent.includes('degrees left')")
    assert re.search(r'[Tt]alker \d+, [567]0 degrees left', page.text_content('#spoken'))
    _wait(page, "() => document.querySelectorAll('#nodes li').length === 7")
    _wait(page, "() => document.querySelectorAll('.meters li').length === 8")
    _wait(page, "() => document.querySelector('#inference').textContent.includes('ms')")
    # The heat map and the history are drawn.
    colours = """() => { const c = document.querySelector('#gcc canvas');
      const p = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
      const pixels = Array.from({ length: p.length / 4 }, (_, k) => p.slice(4*k, 4*k+3).join());
      return new Set(pixels).size; }"""
    assert page.evaluate(colours) > 20
    assert page.locator('#history canvas').count() == 1


def test_sensitivity_and_mute_by_keyboard(process, visit):
    page = visit(process.url)
    assert '#token' not in page.url
    _wait(page, "() => !document.querySelector('#mute').disabled")
    _wait(page, "() => document.querySelector('#sensitivity-value').textContent === '0.50'")
    page.focus('#sensitivity')
    page.keyboard.press('ArrowRight')
    _wait(page, "() => document.querySelector('#control-said').textContent === 'sensitivity 0.55'")
    page.keyboard.press('ArrowLeft')
    _wait(page, "() => document.querySelector('#control-said').textContent === 'sensitivity 0.5'")
    page.focus('#mute')
    page.keyboard.press('Enter')
    _wait(page, "() => document.querySelector('#control-said').textContent === 'muted'")
    _wait(page, "() => document.querySelector('#sentence').textContent === 'Nobody speaks'")
    page.keyboard.press('Enter')
    _wait(page, "() => document.querySelector('#control-said').textContent === 'answers again'")
    _wait(page, "() => document.querySelector('[data-talker]')")


def test_who_has_no_token_sees_and_changes_nothing(process, visit):
    page = visit(process.url.partition('#')[0])
    _wait(page, "() => document.querySelector('#sensitivity-value').textContent === '0.50'")
    assert page.is_disabled('#sensitivity') and page.is_disabled('#mute')
    page.fill('#token', 'certainly wrong')
    page.press('#token', 'Enter')
    _wait(page, "() => !document.querySelector('#mute').disabled")
    page.click('#mute')
    _wait(page, "() => document.querySelector('#control-said').textContent.includes('wrong')")
    _wait(page, "() => !document.querySelector('#token-form').hidden")


@pytest.mark.parametrize('scheme', ['dark', 'light'])
def test_nothing_keeps_anybody_from_reading_it(process, visit, scheme):
    axe = pytest.importorskip('axe_playwright_python.sync_playwright', reason='needs axe')
    # The program that looks is put into the page, which would load none.
    page = visit(process.url, color_scheme=scheme, bypass_csp=True)
    _wait(page, "() => document.querySelector('[data-talker]')")
    _wait(page, "() => document.querySelectorAll('#nodes li').length === 7")
    page.click('#nodes summary')
    found = axe.Axe().run(page).response['violations']
    assert [(v['id'], v['nodes'][0]['html']) for v in found if v['impact'] != 'minor'] == []


def test_a_phone_scrolls_in_one_direction_only(process, visit):
    options = {'viewport': {'width': 390, 'height': 844}, 'device_scale_factor': 2}
    page = visit(process.url, **options, is_mobile=True, has_touch=True)
    _wait(page, "() => document.querySelectorAll('#nodes li').length === 7")
    _wait(page, "() => document.querySelector('#talkers tbody tr')")
    for summary in page.query_selector_all('#nodes summary'):
        summary.click()
    assert page.evaluate('document.documentElement.scrollWidth') == 390
    # What counts is seen without scrolling.
    for part in ('#sentence', '#polar svg'):
        box = page.locator(part).bounding_box()
        assert box['y'] + box['height'] <= 844


def test_less_motion_is_fewer_pictures(process, visit):
    page = visit(process.url, reduced_motion='reduce')
    _wait(page, "() => document.querySelector('[data-talker]')")
    count = """() => new Promise((done) => { let n = 0;
      const observer = new MutationObserver(() => { n += 1; });
      observer.observe(document.querySelector('.spectrum:not(.legend *)'), {attributes: true});
      setTimeout(() => done(n), 1500); })"""
    assert page.evaluate(count) <= 4


def test_it_says_when_the_node_is_away_and_goes_on_when_it_is_back(running, process, visit):
    page = visit(process.url)
    _wait(page, "() => document.querySelector('[data-talker]')")
    assert process.stop() == 0
    lost = 'Connection lost, trying again'
    _wait(page, f"() => document.querySelector('#connection').textContent.trim() === '{lost}'")
    _wait(page, "() => !document.querySelector('[data-talker]')")
    running()
    _wait(
        page,
        "() => document.querySelector('#connection').textContent.trim() === 'Connected again'",
    )
    _wait(page, _POINTS)
    _wait(page, "() => document.querySelector('#connection').textContent.trim() === 'Live'")
