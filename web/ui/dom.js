/**
 * Elements, typed and without markup strings: `el('button', { class: 'primary', on: { click } }, t('rooms.create'))`.
 *
 * Nothing in the client parses HTML; text is always text. Used by views and by the other parts of `ui/`.
 */

/** @typedef {Node | string | null | undefined | false} Child */

/**
 * @typedef {object} Props
 * @property {string} [class]
 * @property {Record<string, string>} [data] `data-*`
 * @property {{ [K in keyof HTMLElementEventMap]?: (event: HTMLElementEventMap[K]) => void }} [on]
 */

/** @typedef {Props & Record<string, any>} AnyProps any other name is an attribute; `true` sets an empty one, `false` and `null` none */

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {AnyProps} [props]
 * @param {Child[]} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function el(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name === 'class') element.className = value;
    else if (name === 'data') Object.assign(element.dataset, value);
    else if (name === 'on') for (const [type, listener] of Object.entries(value)) element.addEventListener(type, /** @type {any} */ (listener));
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value === true ? '' : String(value));
  }
  append(element, children);
  return element;
}

/**
 * @param {Element} parent
 * @param {Child[]} children
 */
export function append(parent, children) {
  for (const child of children) if (child !== null && child !== undefined && child !== false) parent.append(child);
}

/**
 * Replace everything in `parent`.
 * @param {Element} parent
 * @param {Child[]} children
 */
export function fill(parent, ...children) {
  parent.replaceChildren();
  append(parent, children);
}

/**
 * As `fill`, but what stands there and is the same stays, with its focus and its listeners, and no screen reader says it again: whoever draws gives what looks
 * the same the same to do. Where the focus was in something that goes, whatever does the same has it next.
 * @param {Element} parent
 * @param {(Element | null | undefined | false)[]} children
 */
export function refill(parent, ...children) {
  const gone = [...parent.children];
  const wanted = children.flatMap((child) => {
    if (!child) return [];
    const at = gone.findIndex((each) => each === child || each.isEqualNode(child));
    return at < 0 ? [child] : gone.splice(at, 1);
  });
  const focused = /** @type {HTMLElement | null} */ (parent.ownerDocument.activeElement);
  const action = gone.some((each) => each.contains(focused)) ? focused?.dataset['action'] : undefined;
  for (const each of gone) each.remove();
  let next = parent.firstElementChild;
  for (const each of wanted) {
    if (each === next) next = next.nextElementSibling;
    else parent.insertBefore(each, next);
  }
  if (action !== undefined) /** @type {HTMLElement | null} */ (parent.querySelector(`[data-action="${action}"]`))?.focus({ preventScroll: true });
}

/**
 * @param {EventTarget} target
 * @param {string | string[]} types
 * @param {(event: CustomEvent) => void} listener
 * @param {AbortSignal} signal ends the listening
 */
export function listen(target, types, listener, signal) {
  for (const type of [types].flat()) target.addEventListener(type, /** @type {EventListener} */ (listener), { signal });
}
