/**
 * New messages, said to screen readers: the first at once, what follows together, and never more than one sentence in three seconds. And what
 * of one's own was refused, because it may have been written long before.
 */

/** @import { ConversationView, Message } from '../../state/chat/interface.js' */

import { errorText, t } from '../../i18n/index.js';
import { announce } from '../../ui/announce.js';
import { listen } from '../../ui/dom.js';
import { plainText } from './message-row.js';
import { arrivedSince, newestSeq, refusedIn } from './row-facts.js';
import { Turns } from './turns.js';

/** As long as it takes to hear a short sentence. */
const QUIET_MS = 3_000;
/** More are only "many". */
const COUNTED = 200;

/**
 * @param {ConversationView} conversation
 * @param {AbortSignal} signal
 */
export function announceMessages(conversation, signal) {
  const turns = new Turns(QUIET_MS);
  let said = newestSeq(conversation);
  let refused = new Set(refusedIn(conversation).map(({ id }) => id));
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const speak = () => {
    timer = undefined;
    const arrived = arrivedSince(conversation, said, COUNTED);
    said = newestSeq(conversation);
    if (arrived.length > 0) announce(sentence(conversation, arrived));
  };
  const sayRefused = () => {
    const now = refusedIn(conversation);
    const fresh = now.find(({ id }) => !refused.has(id));
    refused = new Set(now.map(({ id }) => id));
    if (fresh) announce(`${t('chat.state_failed')}: ${errorText({ code: fresh.code ?? 'internal' })}`);
  };
  const changed = ({ detail = /** @type {{ reason?: string } | null} */ (null) }) => {
    if (detail?.reason === 'messages') sayRefused();
    if (detail?.reason === 'reset') said = newestSeq(conversation);
    if (detail?.reason !== 'messages' || timer !== undefined) return;
    if (arrivedSince(conversation, said, 1).length === 0) {
      said = Math.max(said, newestSeq(conversation));
      return;
    }
    const wait = turns.ask(performance.now());
    if (wait === 0) speak();
    else
      timer = setTimeout(() => {
        turns.ask(performance.now());
        speak();
      }, wait);
  };
  listen(conversation, 'change', changed, signal);
  signal.addEventListener('abort', () => clearTimeout(timer));
}

/**
 * @param {ConversationView} conversation
 * @param {Message[]} arrived newest first
 */
function sentence(conversation, arrived) {
  const [only] = arrived;
  if (arrived.length > 1 || !only) return t('chat.newer', { count: arrived.length });
  return `${conversation.nameOf(only.sender) ?? t('chat.former_member')}: ${plainText(only)}`;
}
