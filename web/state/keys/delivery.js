/**
 * What the server does for end-to-end encryption (`/api/v1/e2ee`), asked in the words of the worker of the keys: bytes in base64. It orders
 * commits and passes things on; nothing that goes through here is a secret, and nothing that comes from here is believed before the worker has
 * verified it.
 */

/** @import { Base64, GroupName, Look, Uuid } from '../../e2ee/keys/interface.js' */
/** @import { Api } from '../../net/api.js' */

import { ApiError } from '../../net/api.js';
import { fromServer, groupId, groupName, toServer, uuidOf } from './bytes.js';

/** @typedef {NonNullable<Look['outgoing']>} Outgoing */
/** @typedef {{ id: Uuid, group: GroupName | null, epoch: number | null, welcome: Base64 | null, commit: Base64 | null }} Waiting `epoch`: in which its commit was made. `welcome`: null for one that is no longer kept, and for what is none */

export class Delivery {
  #api;

  /** @param {Api} api */
  constructor(api) {
    this.#api = api;
  }

  /** All that a user published, in order. @param {Uuid} user @returns {Promise<Base64[]>} */
  async chain(user) {
    const { records } = await this.#api.call('GET', `e2ee/users/${user}/keys`);
    return records.map((/** @type {{ record: string }} */ { record }) => fromServer(record));
  }

  /**
   * The same, with the proof that all of it is in the log of keys of this size.
   * @param {Uuid} user
   * @param {number} size of a head that the worker knows
   * @returns {Promise<{ records: Base64[], leaves: number[], path: Base64[] | null }>} `path`: null where the server has none, as when something came later
   */
  async loggedChain(user, size) {
    /** @type {{ records: { record: string, leaf: number }[], proof: string[] | null }} */
    const { records, proof } = await this.#api.call('GET', `e2ee/users/${user}/keys?size=${size}`);
    return { records: records.map(({ record }) => fromServer(record)), leaves: records.map(({ leaf }) => leaf), path: proof?.map(fromServer) ?? null };
  }

  /** The newest head of the log of keys. @returns {Promise<Base64>} */
  async logHead() {
    const { head } = await this.#api.call('GET', 'e2ee/log/head');
    return fromServer(head);
  }

  /** That the log only grew from one size to another. @param {number} from @param {number} to @returns {Promise<Base64[] | null>} null: the server says that it did not */
  async consistency(from, to) {
    try {
      const { path } = await this.#api.call('GET', `e2ee/log/consistency?from=${from}&to=${to}`);
      return path.map(fromServer);
    } catch (error) {
      // Everything else is a failure for the moment.
      if (error instanceof ApiError && [400, 404, 422].includes(error.status)) return null;
      throw error;
    }
  }

  /** The next record of one's own. @param {Base64} record @param {string} [password] where an identity is replaced */
  async publish(record, password) {
    await this.#api.call('POST', 'e2ee/keys/records', { record: toServer(record), ...(password === undefined ? {} : { password }) });
  }

  /** What one's own device has left. @param {Base64} device @returns {Promise<{ oneTime: number, lastResort: boolean }>} */
  async stock(device) {
    const { key_packages, last_resort } = await this.#api.call('GET', `e2ee/devices/${uuidOf(device)}/key-packages`);
    return { oneTime: key_packages, lastResort: last_resort };
  }

  /** @param {Base64} device @param {{ packages: Base64[], last_resort: Base64 | null }} made */
  async leave(device, { packages, last_resort }) {
    const body = { key_packages: packages.map(toServer), ...(last_resort === null ? {} : { last_resort: toServer(last_resort) }) };
    await this.#api.call('POST', `e2ee/devices/${uuidOf(device)}/key-packages`, body);
  }

  /** What one shows to be let into the group of a room. @param {Uuid} room @param {Base64} invitation */
  async showInvitation(room, invitation) {
    await this.#api.call('PUT', `rooms/${room}/invitation`, { invitation: toServer(invitation) });
  }

  /** One key package of each device of these users. @param {Uuid[]} users @returns {Promise<{ user: Uuid, keyPackage: Base64 }[]>} */
  async claim(users) {
    const { key_packages } = await this.#api.call('POST', 'e2ee/key-packages/claim', { users });
    return key_packages.map((/** @type {{ user: Uuid, key_package: string }} */ { user, key_package }) => ({ user, keyPackage: fromServer(key_package) }));
  }

  /** What coming in needs; null where there is no such group. @param {GroupName} group */
  async info(group) {
    try {
      return infoOf(await this.#api.call('GET', `e2ee/groups/${groupId(group)}/info`));
    } catch (error) {
      if (error instanceof ApiError && error.code === 'group_not_found') return null;
      throw error;
    }
  }

  /** @param {Outgoing} outgoing @returns {Promise<boolean>} false: there is one already */
  async create({ group_info }) {
    try {
      await this.#api.call('POST', 'e2ee/groups', { group_info: toServer(group_info) });
      return true;
    } catch (error) {
      if (error instanceof ApiError && error.code === 'group_exists') return false;
      throw error;
    }
  }

  /** @param {GroupName} group @param {Outgoing} outgoing @returns {Promise<boolean>} false: another was faster */
  async commit(group, { epoch, commit, welcome, group_info }) {
    const body = { epoch, commit: toServer(commit ?? ''), group_info: toServer(group_info), ...(welcome === null ? {} : { welcome: toServer(welcome) }) };
    try {
      await this.#api.call('POST', `e2ee/groups/${groupId(group)}/commits`, body);
      return true;
    } catch (error) {
      if (error instanceof ApiError && error.status === 409) return false;
      throw error;
    }
  }

  /** Commits from an epoch on, some of them. @param {GroupName} group @param {number} from */
  async commits(group, from) {
    /** @type {{ commits: { epoch: number, commit: string }[], epoch: number }} */
    const { commits, epoch } = await this.#api.call('GET', `e2ee/groups/${groupId(group)}/commits?from=${from}`);
    return { commits: commits.map((each) => ({ epoch: each.epoch, commit: fromServer(each.commit) })), epoch };
  }

  /** What one's devices keep for each other under a name. @param {string} slot @returns {Promise<{ version: number, blob: Base64 } | null>} null: nothing */
  async backup(slot) {
    try {
      const { version, body } = await this.#api.call('GET', `e2ee/backups/${slot}`);
      return { version, blob: fromServer(body) };
    } catch (error) {
      if (error instanceof ApiError && error.code === 'backup_not_found') return null;
      throw error;
    }
  }

  /** In place of this version, 0 for none. @param {string} slot @param {number} version @param {Base64} blob @returns {Promise<boolean>} false: another device was faster */
  async keepBackup(slot, version, blob) {
    try {
      await this.#api.call('PUT', `e2ee/backups/${slot}`, { body: toServer(blob) }, { 'if-match': `"${version}"` });
      return true;
    } catch (error) {
      if (error instanceof ApiError && error.status === 412) return false;
      throw error;
    }
  }

  /** Where there is something of one's own. @returns {Promise<{ slot: string, version: number }[]>} */
  async backups() {
    return (await this.#api.call('GET', 'e2ee/backups')).backups;
  }

  /** If this version is there still. @param {string} slot @param {number} version */
  async dropBackup(slot, version) {
    try {
      await this.#api.call('DELETE', `e2ee/backups/${slot}`, undefined, { 'if-match': `"${version}"` });
    } catch (error) {
      // Another device was faster: at this, or at writing.
      if (!(error instanceof ApiError) || ![404, 412].includes(error.status)) throw error;
    }
  }

  /** What waits for a device, oldest first. @param {Base64} device @param {GroupName} [into] welcomes into this group only @returns {Promise<{ items: Waiting[], more: boolean }>} */
  async inbox(device, into) {
    const only = into === undefined ? '' : `&into=${groupId(into)}`;
    /** @type {{ items: { id: Uuid, group: string, epoch: number | null, body: string | null, commit?: string | null }[], more: boolean }} */
    const { items, more } = await this.#api.call('GET', `e2ee/inbox?device=${uuidOf(device)}${only}`);
    const waiting = items.map(({ id, group, epoch, body, commit }) => ({ id, group: groupName(group), epoch, welcome: epoch === null || body === null ? null : fromServer(body), commit: commit == null ? null : fromServer(commit) }));
    return { items: waiting, more };
  }

  /** @param {Uuid} id */
  async taken(id) {
    try {
      await this.#api.call('DELETE', `e2ee/inbox/${id}`);
    } catch (error) {
      // Another window of this browser was faster.
      if (!(error instanceof ApiError) || error.status !== 404) throw error;
    }
  }
}

/** What coming into a group needs, as the server tells it. @param {{ epoch: number, group_info: string, tree: string | null }} told */
export function infoOf({ epoch, group_info, tree }) {
  return { epoch, groupInfo: fromServer(group_info), tree: tree === null ? null : fromServer(tree) };
}
