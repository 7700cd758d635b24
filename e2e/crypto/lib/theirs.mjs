// A device on ts-mls, an implementation of MLS (RFC 9420) that shares no code with ours. It keeps our rules (`trust/src/mls`): its credential
// is a certificate, its capabilities and lifetimes are those of our leaves. Of others it believes what was published, nothing else.

import * as mls from 'ts-mls';
import { createGroupInfo } from 'ts-mls/createCommit.js';
import { decodeRatchetTree } from 'ts-mls/ratchetTree.js';

import { certify, deviceOf } from './certificates.mjs';
import { base64, fromUuid, hex, join, number } from './bytes.mjs';

const SUITE = 'MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519';
const LAST_RESORT = 0x000a;
const CAPABILITIES = { versions: ['mls10'], ciphersuites: [SUITE], extensions: [LAST_RESORT], proposals: [], credentials: ['basic'] };
const HOUR_S = 3_600;
const DAY_S = 24 * HOUR_S;
/** The longest that a key package of ours is good for: `MAX_LIFETIME_S` of `trust/src/mls/mod.rs`. */
const MAX_LIFETIME_S = 184 * DAY_S;
const PADDING_BYTES = 256;
/** The extension with the key for those who come in by themselves. */
const WAY_IN = 'external_pub';

export class TheirDevice {
  #keys;
  #certificate;
  #records;
  #config;
  #suite;
  #packages = [];
  #states = new Map();
  #pending;

  /** The first device of `user`, published. `otherwise`: makes of the suite's functions those that this device works with. */
  static async of(user, published, otherwise = (suite) => suite) {
    const device = new TheirDevice();
    device.user = user;
    device.#suite = otherwise(await mls.getCiphersuiteImpl(mls.getCiphersuiteFromName(SUITE)));
    device.#keys = await device.#suite.signature.keygen();
    device.#config = {
      keyRetentionConfig: mls.defaultKeyRetentionConfig,
      lifetimeConfig: { maximumTotalLifetime: BigInt(MAX_LIFETIME_S), validateLifetimeOnReceive: true },
      keyPackageEqualityConfig: mls.defaultKeyPackageEqualityConfig,
      paddingConfig: { kind: 'padUntilLength', padUntilLength: PADDING_BYTES },
      authService: { validateCredential: (credential, key) => credential.credentialType === 'basic' && published.vouches(credential.identity, key) },
    };
    const { certificate, records } = await certify(user, device.#keys.publicKey);
    device.#certificate = certificate;
    device.#records = records;
    published.add(user, records);
    return device;
  }

  /** What its user published, in order. */
  get records() {
    return this.#records;
  }

  /** The device's id, of 16 bytes. */
  get id() {
    return deviceOf(this.#certificate);
  }

  /** `session`: of the group of a call, what `trust/src/mls/session.rs` puts in the leaf as its application id. */
  async keyPackage(session) {
    const now_s = Math.floor(Date.now() / 1_000);
    const lifetime = { notBefore: BigInt(now_s - HOUR_S), notAfter: BigInt(now_s + 182 * DAY_S) };
    const credential = { credentialType: 'basic', identity: this.#certificate };
    const leaf = session === undefined ? [] : [{ extensionType: 'application_id', extensionData: join(number(session.length, 1), session) }];
    const made = await mls.generateKeyPackageWithKey(credential, CAPABILITIES, lifetime, [], this.#keys, this.#suite, leaf);
    this.#packages.push(made);
    return mls.encodeMlsMessage({ version: 'mls10', wireformat: 'mls_key_package', keyPackage: made.publicPackage });
  }

  /** By a welcome to its newest key package; the tree is in it. */
  async joins(bytes) {
    const { publicPackage, privatePackage } = this.#packages.at(-1);
    const { welcome } = read(bytes, 'mls_welcome');
    const state = await mls.joinGroup(welcome, publicPackage, privatePackage, mls.emptyPskIndex, this.#suite, undefined, undefined, this.#config);
    this.#states.set(hex(state.groupContext.groupId), state);
  }

  /**
   * Comes in by itself, with its newest key package's leaf, by a commit that waits for the server's answer.
   *
   * ts-mls 1.6.4 reads and writes the external key without the length of the vector in it (RFC 9420 §12.4.3.1), so that it is given what it
   * expects. By that it can no longer verify who signed; whoever it is for here does not mind.
   */
  async enters(groupInfo, tree) {
    const { publicPackage, privatePackage } = this.#packages.at(-1);
    const { groupInfo: info } = read(groupInfo, 'mls_group_info');
    const extensions = info.extensions.map((each) => (each.extensionType === WAY_IN ? { ...each, extensionData: each.extensionData.slice(1) } : each));
    const believing = { ...this.#suite, signature: { ...this.#suite.signature, verify: async () => true } };
    const [nodes] = tree === null ? [] : decodeRatchetTree(tree, 0);
    const entering = await mls.joinGroupExternal({ ...info, extensions }, publicPackage, privatePackage, false, believing, nodes, this.#config);
    this.#pending = entering.newState;
    return mls.encodeMlsMessage({ version: 'mls10', wireformat: 'mls_public_message', publicMessage: entering.publicMessage });
  }

  /** Of the group as its commit that waits leaves it. `wayIn`: the external key that it names, of 32 bytes; without, the one that it is. */
  async groupInfo(wayIn = null) {
    const state = this.#pending;
    const { publicKey } = await this.#suite.hpke.deriveKeyPair(state.keySchedule.externalSecret);
    const key = wayIn ?? (await this.#suite.hpke.exportPublicKey(publicKey));
    const extensions = [{ extensionType: WAY_IN, extensionData: join(number(key.length, 1), key) }];
    const groupInfo = await createGroupInfo(state.groupContext, state.confirmationTag, state, extensions, this.#suite);
    return mls.encodeMlsMessage({ version: 'mls10', wireformat: 'mls_group_info', groupInfo });
  }

  /**
   * A commit that waits for the server's answer, with its proposals in it.
   * @param others proposals, as ts-mls has them
   * @param how options of ts-mls by which the commit is other than ours are
   */
  async proposes(group, { add = [], remove = [], others = [] } = {}, how = {}) {
    const added = add.map((bytes) => ({ proposalType: 'add', add: { keyPackage: read(bytes, 'mls_key_package').keyPackage } }));
    const extraProposals = [...added, ...remove.map(removal), ...others];
    const options = { wireAsPublicMessage: true, ratchetTreeExtension: true, extraProposals, ...how };
    const { newState, commit, welcome } = await mls.createCommit({ state: this.#state(group), cipherSuite: this.#suite }, options);
    this.#pending = newState;
    return {
      commit: mls.encodeMlsMessage(commit),
      welcome: welcome === undefined ? null : mls.encodeMlsMessage({ version: 'mls10', wireformat: 'mls_welcome', welcome }),
    };
  }

  /** The server took the commit. */
  accepted(group) {
    this.#states.set(idOf(group), this.#pending);
    this.#pending = undefined;
  }

  /** A removal proposed in a message of its own; every later commit of this device names it by reference. */
  async proposesApart(group, leaf) {
    const { newState, message } = await mls.createProposal(this.#state(group), true, removal(leaf), this.#suite);
    this.#states.set(idOf(group), newState);
    return mls.encodeMlsMessage(message);
  }

  /** What was its own and waited is dropped. */
  async process(group, commit) {
    const { publicMessage } = read(commit, 'mls_public_message');
    const { newState } = await mls.processPublicMessage(this.#state(group), publicMessage, mls.emptyPskIndex, this.#suite);
    this.#states.set(idOf(group), newState);
    this.#pending = undefined;
  }

  async say(group, text) {
    const { newState, privateMessage } = await mls.createApplicationMessage(this.#state(group), new Uint8Array(Buffer.from(text)), this.#suite);
    this.#states.set(idOf(group), newState);
    return mls.encodeMlsMessage({ version: 'mls10', wireformat: 'mls_private_message', privateMessage });
  }

  /** Who said it ts-mls does not tell. */
  async hear(group, bytes) {
    const { privateMessage } = read(bytes, 'mls_private_message');
    const { newState, message } = await mls.processPrivateMessage(this.#state(group), privateMessage, mls.emptyPskIndex, this.#suite);
    this.#states.set(idOf(group), newState);
    return { text: Buffer.from(message).toString() };
  }

  /** RFC 9420 §8.5. */
  exports(group, label, context, size) {
    return mls.mlsExporter(this.#state(group).keySchedule.exporterSecret, label, context, size, this.#suite);
  }

  /** Which epoch it is in; the authenticator is that of RFC 9420 §8.7. */
  at(group) {
    const { groupContext, keySchedule } = this.#state(group);
    return { epoch: Number(groupContext.epoch), authenticator: base64(keySchedule.epochAuthenticator) };
  }

  leaf(group) {
    return this.#state(group).privatePath.leafIndex;
  }

  isOut(group) {
    return this.#state(group).groupActiveState.kind === 'removedFromGroup';
  }

  #state(group) {
    return this.#states.get(idOf(group));
  }
}

function removal(leaf) {
  return { proposalType: 'remove', remove: { removed: leaf } };
}

/** The group's id on the wire: `trust/src/mls/group_id.rs`. */
function idOf({ kind, id }) {
  return hex(join(number({ room: 1, call: 2 }[kind], 1), fromUuid(id)));
}

/** One message, of this kind, and nothing behind it. */
function read(bytes, wireformat) {
  const [message, length] = mls.decodeMlsMessage(bytes, 0) ?? [];
  if (message?.wireformat !== wireformat || length !== bytes.length) throw new Error(`no ${wireformat}`);
  return message;
}
