// What a browser remembers of the client's code that it was given.

/** One state of the client: `tree` is in the addresses of its files, `sha256` the whole hash that it is the beginning of. Hexadecimal. */
export type Code = { tree: string, sha256: string };

/**
 * What was looked at: `sha256` is of the files as they came; null: the page came, and not all of the files. `tree`: empty where the page names none. `isTrue`: the
 * files are what their address says.
 */
export type Seen = { tree: string, sha256: string | null, isTrue: boolean };

export type Known = {
  /** Null: none was seen yet that is what its address says. */
  code: Code | null;
  /** Looks in a row at which the page came, and not all of the files. Missing: none. */
  missed?: number;
  /** Unix milliseconds: when this code was first seen, and when it was looked at last. */
  since: number;
  lookedAt: number;
  /** Newest first. */
  changes: { at: number, from: Code, to: Code }[];
  /** Files that were not what their address says, or were not given (`is`: null): newest first. `was`: what came under the same address before, if anything did. */
  alarms: { at: number, tree: string, was: string | null, is: string | null }[];
};
