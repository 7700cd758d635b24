/** What a key does in the list of messages. Pure. */

/** @typedef {'older' | 'newer' | 'first' | 'last' | 'menu' | 'remove' | 'to-row' | 'to-composer'} ListAct */

/** @type {Readonly<Record<string, ListAct>>} */
const ANYWHERE = { ArrowUp: 'older', ArrowDown: 'newer', Home: 'first', End: 'last' };

/**
 * @param {Pick<KeyboardEvent, 'key' | 'shiftKey' | 'ctrlKey' | 'metaKey' | 'altKey'>} event
 * @param {'list' | 'row' | 'inside'} focus where the focus is: on the list itself, on a message, on something in a message
 * @returns {ListAct | null} null: the browser's own
 */
export function listAct({ key, shiftKey, ctrlKey, metaKey, altKey }, focus) {
  if (ctrlKey || metaKey || altKey) return null;
  if (ANYWHERE[key]) return ANYWHERE[key];
  // From what is in a message back to it, and from it to where one writes.
  if (key === 'Escape') return focus === 'inside' ? 'to-row' : 'to-composer';
  if (focus !== 'row') return null;
  if (key === 'Enter' || key === 'ContextMenu' || (shiftKey && key === 'F10')) return 'menu';
  return key === 'Delete' ? 'remove' : null;
}
