// Tests that go the same way through other browsers.

/** In `e2e/long variants`. */
export const ALL_VARIANTS = process.env.WEBCALL_VARIANTS === 'all';

/**
 * Of variants that differ by who sits at which browser the first; all of them in `e2e/long`. Where a part of
 * the client is another in each browser (transforms, codecs of an encrypted call, strict calls, diagnostics), both are tried in every run.
 */
export const variants = (all) => (ALL_VARIANTS ? all : all.slice(0, 1));
