"""What must not be on a page that shows hostile text, looked for in the page itself."""

from __future__ import annotations

from tests.e2e.console_stage import Tab

STRANGE = """const strange = () => {
  const ours = (url) => url.startsWith('/console/static/');
  const place =
    /^(#(main|labels|pool|models|people|variations)$|\\/console|\\/v1\\/sessions\\/ses_)/;
  const bad = 'iframe, object, embed, portal, base, style, math, '
    + 'svg:not(.chart):not([aria-hidden]), '
    + 'video, audio, marquee, template, xmp, meta[http-equiv], [srcdoc], [background], '
    + '[style], form[action]';
  const found = [...document.querySelectorAll(bad)].map((node) => node.tagName);
  for (const node of document.querySelectorAll('script, img'))
    if (!ours(node.getAttribute('src') ?? '')) found.push(node.tagName);
  for (const node of document.querySelectorAll('a, link'))
    if (!place.test(node.getAttribute('href') ?? '')) found.push(node.tagName);
  for (const node of document.querySelectorAll('*'))
    for (const { name } of node.attributes) if (name.startsWith('on')) found.push(name);
  const hidden = /[\\u200b\\u200e\\u200f\\u2028-\\u202e\\u2060-\\u2069\\ufeff\\u00ad]/;
  if (hidden.test(document.body.textContent)) found.push('hidden character');
  for (const node of document.querySelectorAll('[title], [aria-label]'))
    if (hidden.test(`${node.title} ${node.ariaLabel}`)) found.push('hidden in a name');
  if (document.documentElement.scrollWidth > innerWidth) found.push('wider than the window');
  return found;
};"""
WALK = """async (count) => {
  %s
  const found = [];
  const at = () => document.getElementById('position').textContent;
  for (let n = 1; n <= count; n += 1) {
    for (let waits = 0; !at().startsWith(`${n} of ${count}`); waits += 1) {
      if (waits > 500) return [`waited for ${n}, saw ${at()}`];
      await new Promise((done) => setTimeout(done, 20));
    }
    found.push(...strange());
    dispatchEvent(new KeyboardEvent('keydown', { key: 'j', bubbles: true }));
  }
  return found;
}"""


def strange(tab: Tab) -> list[str]:
    """Elements, attributes, links and hidden characters that no page of ours has."""
    found: list[str] = tab.page.evaluate(f"() => {{ {STRANGE} return strange(); }}")
    return found


def clean(tab: Tab) -> None:
    """Nothing came to life, nothing hides, and the page is as wide as the window."""
    found = strange(tab)
    assert not found, found
    assert not tab.surprises, tab.surprises
