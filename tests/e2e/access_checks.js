// What a page lacks for people who do not see it, or see it badly; run by access_checks.py.
() => {
  const checks = () => {
  const found = [];
  const shown = (node) => node.checkVisibility({ checkVisibilityCSS: true });
  const nameOf = (node) => (node.getAttribute('aria-label')
    ?? [...(node.labels ?? [])].map((label) => label.textContent).join(' ')
    ?? '').trim() || (node.getAttribute('aria-labelledby') ?? '').split(' ')
    .map((id) => document.getElementById(id)?.textContent ?? '').join(' ').trim()
    || node.textContent.trim();
  if (!document.documentElement.lang) found.push('no language');
  if (!document.title) found.push('no title');
  if (document.querySelectorAll('main').length !== 1) found.push('not one main');
  if ([...document.querySelectorAll('h1')].filter(shown).length !== 1) found.push('not one h1');
  for (const nav of document.querySelectorAll('nav'))
    if (!nav.getAttribute('aria-label')) found.push('a nav without a name');
  for (const image of document.querySelectorAll('img'))
    if (!image.hasAttribute('alt')) found.push('an image without alt');
  for (const node of document.querySelectorAll('button, a, input, select, textarea, [role=group]'))
    if (shown(node) && !nameOf(node)) found.push(`no name: ${node.outerHTML.slice(0, 80)}`);
  const ids = [...document.querySelectorAll('[id]')].map((node) => node.id);
  for (const id of ids.filter((id, at) => ids.indexOf(id) !== at)) found.push(`id twice: ${id}`);
  for (const node of document.querySelectorAll('[aria-labelledby], [aria-describedby], [aria-controls]'))
    for (const name of ['aria-labelledby', 'aria-describedby', 'aria-controls'])
      for (const id of (node.getAttribute(name) ?? '').split(' ').filter(Boolean))
        if (!document.getElementById(id)) found.push(`${name} points nowhere: ${id}`);
  const levels = [...document.querySelectorAll('main h1, main h2, main h3')].filter(shown)
    .map((node) => Number(node.tagName[1]));
  if (levels.some((level, at) => at > 0 && level > levels[at - 1] + 1)) found.push('a heading level is left out');
  for (const node of document.querySelectorAll('button, select, input'))
    if (shown(node) && !node.closest('details:not([open])')) {
      const { width, height } = node.getBoundingClientRect();
      if (node.type !== 'checkbox' && node.type !== 'radio' && (width < 24 || height < 24)) found.push(`small: ${nameOf(node)}`);
    }
  return found;
};
  const contrast = () => {
  const rgb = (text) => (text.match(/[\d.]+/g) ?? [0, 0, 0, 0]).map(Number);
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((v) => (v / 255 <= 0.03928 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const ground = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const color = rgb(getComputedStyle(at).backgroundColor);
      if (color.length < 4 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !node.checkVisibility({ checkVisibilityCSS: true })) continue;
    if (node.closest('.unseen, :disabled, .veiled, option, noscript, .skip')) continue;
    const style = getComputedStyle(node);
    const [one, other] = [light(rgb(style.color)), light(ground(node))];
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    const size = Number.parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (ratio < (large ? 3 : 4.5)) found.push(`${ratio.toFixed(2)}: ${walker.currentNode.data.trim().slice(0, 40)}`);
  }
  return [...new Set(found)];
};
  return [...checks(), ...contrast()];
}
