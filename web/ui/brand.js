/** The mark of WebCall: two people's speech meeting. The same drawing as `icon.svg`. */

const SVG = 'http://www.w3.org/2000/svg';

/** @returns {SVGSVGElement} */
export function brandMark() {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 32 32');
  svg.setAttribute('class', 'brand-mark');
  svg.setAttribute('aria-hidden', 'true');
  const parts = { 'brand-back': 'M12 4h10a7 7 0 0 1 0 14h-3l-5 4.5V18h-2a7 7 0 0 1 0-14z', 'brand-front': 'M10 11h9a6 6 0 0 1 0 12h-1v4.5L13 23h-3a6 6 0 0 1 0-12z' };
  for (const [name, data] of Object.entries(parts)) {
    const path = document.createElementNS(SVG, 'path');
    path.setAttribute('class', name);
    path.setAttribute('d', data);
    svg.append(path);
  }
  return svg;
}
