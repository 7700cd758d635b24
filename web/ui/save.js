/** Gives bytes to the person as a file. The browser keeps them as they are and never opens them in a page. */

/** As long as a slow browser may take to begin saving. */
const KEPT_MS = 60_000;

/**
 * @param {Blob} blob
 * @param {string} name as it was sent: hostile, but only a proposal to the browser, which takes out what is no file's name
 */
export function saveBlob(blob, name) {
  const url = URL.createObjectURL(new Blob([blob], { type: 'application/octet-stream' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), KEPT_MS);
}
