/** The icons, drawn on a 24 × 24 grid with the text's colour. Decoration only: whoever uses one gives the words. */

const SVG = 'http://www.w3.org/2000/svg';

/** Each a list of path data; strokes, round ends. */
const PATHS = {
  microphone: ['M12 3a3 3 0 0 1 3 3v6a3 3 0 0 1-6 0V6a3 3 0 0 1 3-3z', 'M5.5 11.5a6.5 6.5 0 0 0 13 0', 'M12 18v3'],
  'microphone-off': ['M9 9v3a3 3 0 0 0 4.6 2.5', 'M15 11.5V6a3 3 0 0 0-5.8-1', 'M5.5 11.5a6.5 6.5 0 0 0 9.9 5.6', 'M18.5 11.5a6.4 6.4 0 0 1-.6 2.7', 'M12 18v3', 'M4 4l16 16'],
  camera: ['M3.5 7.5a1.5 1.5 0 0 1 1.5-1.5h9a1.5 1.5 0 0 1 1.5 1.5v9a1.5 1.5 0 0 1-1.5 1.5H5a1.5 1.5 0 0 1-1.5-1.5z', 'M15.5 10.5l5-2.8v8.6l-5-2.8'],
  'camera-off': ['M10 6h4a1.5 1.5 0 0 1 1.5 1.5v3l5-2.8v8.6l-3.2-1.8', 'M15.4 16.7A1.5 1.5 0 0 1 14 18H5a1.5 1.5 0 0 1-1.5-1.5v-9A1.5 1.5 0 0 1 5 6', 'M4 4l16 16'],
  screen: ['M3.5 5.5h17v11h-17z', 'M9 20.5h6', 'M12 16.5v4', 'M12 13.5v-5', 'M9.5 10.5L12 8l2.5 2.5'],
  'screen-off': ['M3.5 5.5h17v11h-17z', 'M9 20.5h6', 'M12 16.5v4', 'M9.7 8.7l4.6 4.6', 'M14.3 8.7l-4.6 4.6'],
  people: ['M9 11.5a3.2 3.2 0 1 0 0-6.4 3.2 3.2 0 0 0 0 6.4z', 'M3 19.5c0-3.3 2.7-5.3 6-5.3s6 2 6 5.3', 'M15.8 5.4a3.2 3.2 0 0 1 0 5.8', 'M17.2 14.6c2.3.6 3.8 2.4 3.8 4.9'],
  leave: ['M3.2 14.2c-.6-2 .3-3.6 2.2-4.6a14.4 14.4 0 0 1 13.2 0c1.9 1 2.8 2.6 2.2 4.6-.2.7-.9 1-1.6.8l-2.6-.8c-.6-.2-1-.8-.9-1.4l.1-1.3a12 12 0 0 0-7.6 0l.1 1.3c.1.6-.3 1.2-.9 1.4l-2.6.8c-.7.2-1.4-.1-1.6-.8z'],
  settings: ['M12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6z', 'M19 13.2a7 7 0 0 0 0-2.4l2-1.5-2-3.4-2.4 1a7 7 0 0 0-2-1.2L14.2 3.2h-4l-.4 2.5a7 7 0 0 0-2 1.2l-2.4-1-2 3.4 2 1.5a7 7 0 0 0 0 2.4l-2 1.5 2 3.4 2.4-1a7 7 0 0 0 2 1.2l.4 2.5h4l.4-2.5a7 7 0 0 0 2-1.2l2.4 1 2-3.4z'],
  link: ['M10 14a4 4 0 0 0 5.7 0l3.2-3.2a4 4 0 0 0-5.7-5.7L12 6.3', 'M14 10a4 4 0 0 0-5.7 0l-3.2 3.2a4 4 0 0 0 5.7 5.7L12 17.7'],
  more: ['M5.5 12h.01', 'M12 12h.01', 'M18.5 12h.01'],
  bin: ['M4.5 6.5h15', 'M9.5 6.5v-2h5v2', 'M6.5 6.5l.8 13h9.4l.8-13', 'M10.2 10.5v5.5', 'M13.8 10.5v5.5'],
  exit: ['M10 4.5H5.5v15H10', 'M14.5 8l4 4-4 4', 'M18.5 12H10'],
  pin: ['M9 4.5h6l-.8 6 3.3 3.5h-11l3.3-3.5z', 'M12 14v6'],
  lock: ['M6 11h12v9H6z', 'M8.5 11V8a3.5 3.5 0 0 1 6.8-1.2'],
  help: ['M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18z', 'M9.5 9.5a2.5 2.5 0 1 1 3.6 2.2c-.8.4-1.1.9-1.1 1.8', 'M12 16.8h.01'],
  close: ['M6 6l12 12', 'M18 6L6 18'],
  plus: ['M12 5v14', 'M5 12h14'],
  check: ['M5 12.5l4.5 4.5L19 7.5'],
  minus: ['M6.5 12h11'],
  back: ['M14.5 6l-6 6 6 6'],
  warning: ['M12 4l9 16H3z', 'M12 10v4.5', 'M12 17.3h.01'],
  signal: ['M5 19v-4', 'M10 19v-7.5', 'M15 19V8', 'M20 19V4.5'],
  speaker: ['M4.5 9.5v5h3.5l4.5 4v-13l-4.5 4z', 'M16 9a4.2 4.2 0 0 1 0 6', 'M18.5 6.5a7.8 7.8 0 0 1 0 11'],
  fullscreen: ['M4 9V4h5', 'M20 9V4h-5', 'M4 15v5h5', 'M20 15v5h-5'],
};

/** @typedef {keyof typeof PATHS} IconName */

/**
 * @param {IconName} name
 * @returns {SVGSVGElement}
 */
export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  svg.dataset['icon'] = name;
  for (const data of PATHS[name]) {
    const path = document.createElementNS(SVG, 'path');
    path.setAttribute('d', data);
    svg.append(path);
  }
  return svg;
}
