/** A QR code, drawn from its squares: dark on white in every theme, since many readers know no other. */

const SVG = 'http://www.w3.org/2000/svg';
/** Light squares around it that readers need (ISO/IEC 18004 §5.3.8). */
const QUIET = 4;

/**
 * @param {readonly string[]} rows from the top: `1` dark, `0` light
 * @param {string} label what it is, for who does not see it
 * @returns {SVGSVGElement}
 */
export function qrCode(rows, label) {
  const side = rows.length + 2 * QUIET;
  const svg = document.createElementNS(SVG, 'svg');
  for (const [name, value] of Object.entries({ viewBox: `0 0 ${side} ${side}`, class: 'qr', role: 'img', 'aria-label': label, 'shape-rendering': 'crispEdges' })) svg.setAttribute(name, value);
  const ground = document.createElementNS(SVG, 'rect');
  for (const [name, value] of Object.entries({ width: side, height: side, fill: '#fff' })) ground.setAttribute(name, String(value));
  const dark = document.createElementNS(SVG, 'path');
  dark.setAttribute('fill', '#000');
  dark.setAttribute('d', darkPath(rows));
  svg.append(ground, dark);
  return svg;
}

/** One rectangle for each run of dark squares. @param {readonly string[]} rows */
export function darkPath(rows) {
  const runs = rows.flatMap((row, y) => [...row.matchAll(/1+/g)].map(({ index, 0: run }) => `M${index + QUIET} ${y + QUIET}h${run.length}v1h-${run.length}z`));
  return runs.join('');
}
