// Reading source without understanding it: blanks out what is not code, so that the rules see names only where they are used.
//
// Everything blanked keeps its line breaks; a position in the result is the same position in the file.

const blank = (text) => text.replace(/[^\n]/g, ' ');

const RUST_SKIPS = [
  /\/\/[^\n]*/y, // line comment, doc comment
  /\/\*[\s\S]*?\*\//y, // block comment (nested ones are not used here)
  /(?:b|c)?r(#*)"[\s\S]*?"\1/y, // raw string
  /(?:b|c)?"(?:[^"\\]|\\[\s\S])*"/y,
  /b?'(?:\\(?:u\{[^}]*\}|x[0-9a-fA-F]{2}|[^\n])|[^\\'\n])'/y, // character; a lifetime has no closing quote
];

const JS_COMMENTS = [/\/\/[^\n]*/y, /\/\*[\s\S]*?\*\//y];
const JS_STRINGS = [/'(?:[^'\\\n]|\\[\s\S])*'/y, /"(?:[^"\\\n]|\\[\s\S])*"/y, /`(?:[^`\\]|\\[\s\S])*`/y];
const JS_REGEX = /\/(?![*/])(?:[^/\\[\n]|\\[^\n]|\[(?:[^\]\\\n]|\\[^\n])*\])+\/[a-z]*/y;
const BEFORE_A_REGEX = /(?:^|[=(,:;!&|?{}\[>\n]|\breturn|\bcase)\s*$/;

/** Rust without comments, strings and characters. */
export function rustCode(text) {
  return scan(text, (position, before) => {
    const found = firstMatch(RUST_SKIPS, text, position);
    // An `r` or `b` that ends a longer name starts no string.
    if (found !== null && /[A-Za-z0-9_]$/.test(before()) && /^[a-z]/.test(found)) return null;
    return found === null ? null : { length: found.length, text: blank(found) };
  });
}

/** Rust code without the items that exist in tests only. */
export function withoutTests(code) {
  let result = code;
  for (const found of code.matchAll(/#\[cfg\((?:all\()?test\b[^\]]*\]/g)) {
    const end = itemEnd(code, found.index + found[0].length);
    result = result.slice(0, found.index) + blank(code.slice(found.index, end)) + result.slice(end);
  }
  return result;
}

const TEST_PATH = /(^|\/)(tests?|benches|fuzz|sim)\/|(^|\/)(tests|fuzzing|.*_tests?)\.rs$|\.test\.m?js$/;

/** The files of a tree that only tests use: by their names, or declared so by the module above them (`#[cfg(test)] mod x;`). */
export function testFiles(files) {
  const tests = new Set(Object.keys(files).filter((path) => TEST_PATH.test(path)));
  for (const [path, text] of Object.entries(files)) {
    if (!path.endsWith('.rs')) continue;
    const folder = /(^|\/)(mod|lib|main)\.rs$/.test(path) ? path.replace(/[^/]+$/, '') : path.replace(/\.rs$/, '/');
    for (const [, name] of rustCode(text).matchAll(/#\[cfg\((?:all\()?test\b[^\]]*\]\s*(?:pub(?:\([^)]*\))?\s+)?mod\s+(\w+)\s*;/g)) {
      for (const inner of Object.keys(files)) {
        if (inner === `${folder}${name}.rs` || inner.startsWith(`${folder}${name}/`)) tests.add(inner);
      }
    }
  }
  return tests;
}

/** JavaScript without comments; with `strings: 'blank'` also without the text of strings. */
export function jsCode(text, { strings }) {
  return scan(text, (position, before) => {
    const comment = firstMatch(JS_COMMENTS, text, position);
    if (comment !== null) return { length: comment.length, text: blank(comment) };
    const string = firstMatch(JS_STRINGS, text, position);
    if (string !== null) return { length: string.length, text: strings === 'blank' ? emptied(string) : string };
    if (text[position] !== '/' || !BEFORE_A_REGEX.test(before())) return null;
    const regex = firstMatch([JS_REGEX], text, position);
    return regex === null ? null : { length: regex.length, text: blank(regex) };
  });
}

// A template keeps what stands in its placeholders: that is code.
function emptied(string) {
  if (!string.startsWith('`')) return blank(string);
  return string.replace(/\$\{[^}]*\}|[^\n]/g, (piece) => (piece.startsWith('${') ? piece : ' '));
}

/** The line (from 1) of a position. */
export function lineOf(text, position) {
  return text.slice(0, position).split('\n').length;
}

/** The position behind the block whose `{` is at `open`. */
export function blockEnd(code, open) {
  let depth = 0;
  for (let position = open; position < code.length; position += 1) {
    if (code[position] === '{') depth += 1;
    if (code[position] === '}') depth -= 1;
    if (depth === 0) return position + 1;
  }
  return code.length;
}

function itemEnd(code, start) {
  const found = /[;{]/g;
  found.lastIndex = start;
  const end = found.exec(code);
  if (end === null) return code.length;
  return end[0] === ';' ? end.index + 1 : blockEnd(code, end.index);
}

function scan(text, step) {
  let result = '';
  for (let position = 0; position < text.length; ) {
    const piece = step(position, () => text.slice(Math.max(0, position - 40), position));
    result += piece === null ? text[position] : piece.text;
    position += piece === null ? 1 : piece.length;
  }
  return result;
}

function firstMatch(patterns, text, position) {
  for (const pattern of patterns) {
    pattern.lastIndex = position;
    const found = pattern.exec(text);
    if (found !== null) return found[0];
  }
  return null;
}
