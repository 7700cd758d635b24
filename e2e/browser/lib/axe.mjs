// What axe-core finds wrong with a page as it stands, for people who do not see, hear, or hold a mouse (https://github.com/dequelabs/axe-core).

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const SOURCE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** What depends on colours; everything else depends on the page alone. */
const OF_COLOURS = ['color-contrast', 'link-in-text-block'];

/** Lines that name each fault: the rule, where, and what is wrong. `only_colours`: the rules that a colour scheme can break. */
export async function faults(page, { only_colours = false } = {}) {
  if (!(await page.evaluate(() => window.axe !== undefined))) await page.evaluateSource(`(() => { ${SOURCE}\n; return true; })()`);
  return page.evaluate(async (rules) => {
    // Until colours and places are what they will be. What never ends, as a spinner, is left alone.
    const ending = document.getAnimations().filter((each) => Number.isFinite(each.effect?.getComputedTiming().endTime));
    await Promise.all(ending.map((each) => each.finished.catch(() => {})));
    const { violations } = await window.axe.run(document, { resultTypes: ['violations'], ...(rules && { runOnly: { type: 'rule', values: rules } }) });
    return violations.flatMap(({ id, nodes }) => nodes.map(({ target, html, failureSummary }) => `${id}: ${target.flat().join(' ')}: ${failureSummary.split('\n').slice(1).join(' ').trim()} ${html.slice(0, 160)}`));
  }, only_colours ? OF_COLOURS : null);
}
