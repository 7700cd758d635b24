/**
 * A small picture of an image that is about to be sent, as a data URL that goes inside the message, with the size of the original.
 *
 * Made here and never by the server, which sees no picture. What the browser cannot decode has none. Used by the composer.
 */

/** The longest side. */
const MAX_PX = 320;
/** Characters of the data URL: it is part of a message's body, which has 32,000 bytes in all. */
const MAX_CHARS = 8_000;
/** Larger files are not decoded: an image of this size is some hundred megapixels. */
const MAX_FILE_BYTES = 64 << 20;
/** Kinds that browsers decode; SVG is a document, not an image. */
const TYPES = /^image\/(jpeg|png|webp|gif|avif|bmp)$/;
/** Tried in this order until one is small enough; the last is small for any image. */
const SIDES_PX = [MAX_PX, 240, 160, 96, 48];
const QUALITIES = [0.8, 0.6, 0.4, 0.2];

/**
 * @typedef {object} Thumbnail
 * @property {number} width of the original
 * @property {number} height of the original
 * @property {string} [thumbnail] data URL of a JPEG or WebP; left out when none was small enough
 */

/**
 * @typedef {object} Painter what the browser gives; replaced in tests
 * @property {(blob: Blob) => Promise<ImageBitmap>} decode
 * @property {(bitmap: ImageBitmap, width: number, height: number) => (type: string, quality: number) => string} paint gives an encoder to a data URL
 */

/** @returns {Painter} */
export function browserPainter() {
  return {
    decode: (blob) => createImageBitmap(blob),
    paint: (bitmap, width, height) => {
      const canvas = document.createElement('canvas');
      [canvas.width, canvas.height] = [width, height];
      const context = canvas.getContext('2d');
      if (context === null) return () => '';
      // Behind what is transparent: JPEG would make it black.
      context.fillStyle = '#fff';
      context.fillRect(0, 0, width, height);
      context.imageSmoothingQuality = 'high';
      context.drawImage(bitmap, 0, 0, width, height);
      return (type, quality) => canvas.toDataURL(type, quality);
    },
  };
}

/**
 * @param {Blob} blob
 * @param {Painter} [painter]
 * @returns {Promise<Thumbnail | null>} null when it is no image that this browser can show
 */
export async function thumbnailOf(blob, painter = browserPainter()) {
  if (!TYPES.test(blob.type) || blob.size > MAX_FILE_BYTES) return null;
  /** @type {ImageBitmap} */
  let bitmap;
  try {
    bitmap = await painter.decode(blob);
  } catch {
    return null;
  }
  try {
    const { width, height } = bitmap;
    const thumbnail = smallEnough(bitmap, painter);
    return { width, height, ...(thumbnail === null ? {} : { thumbnail }) };
  } finally {
    bitmap.close();
  }
}

/**
 * @param {ImageBitmap} bitmap
 * @param {Painter} painter
 * @returns {string | null}
 */
function smallEnough(bitmap, painter) {
  for (const side of SIDES_PX) {
    const { width, height } = fitted(bitmap, side);
    const encode = painter.paint(bitmap, width, height);
    for (const quality of QUALITIES) {
      // A browser that cannot write WebP gives PNG instead.
      const found = ['image/webp', 'image/jpeg'].map((type) => ({ type, url: encode(type, quality) })).find(({ type, url }) => url.startsWith(`data:${type};`) && url.length <= MAX_CHARS);
      if (found !== undefined) return found.url;
    }
  }
  return null;
}

/**
 * The size within a square, never enlarged, never nothing.
 * @param {{ width: number, height: number }} original
 * @param {number} side
 */
export function fitted({ width, height }, side) {
  const scale = Math.min(1, side / Math.max(width, height, 1));
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}
