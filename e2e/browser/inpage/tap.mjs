// A participant without keys: joins a call over the server's own signalling from a bare page of its origin, shows whatever is forwarded to
// it in tiles as the client has them, and keeps a copy of every frame, as it stands behind SRTP and the packets. Nothing of the client is in
// here. The functions are sent to the browser as text: they must name nothing outside themselves.

/** In a worker: lets every frame through as it is and keeps a copy. Answers `frames` with all of them since the last time. */
export function keepFrames() {
  const MAX_FRAMES = 20_000;
  let kept = [];
  onrtctransform = ({ transformer: { readable, writable, options } }) => {
    const copy = (frame, out) => {
      const { mimeType, timestamp } = { timestamp: frame.timestamp, ...frame.getMetadata() };
      if (kept.length < MAX_FRAMES) kept.push({ ...options, mimeType, timestamp, type: frame.type, at_ms: Date.now(), bytes: new Uint8Array(frame.data.slice(0)) });
      out.enqueue(frame);
    };
    void readable.pipeThrough(new TransformStream({ transform: copy })).pipeTo(writable).catch(() => {});
  };
  const text = (bytes) => {
    let all = '';
    for (const byte of bytes) all += String.fromCharCode(byte);
    return btoa(all);
  };
  onmessage = () => {
    postMessage(kept.map(({ bytes, ...frame }) => ({ ...frame, data: text(bytes) })));
    kept = [];
  };
}

/** Installs `webcallTap`: `join`, `isConnected`, `frames`, `received`, `watch`, `likeness`, `purity`, `decodePictures`, `decodeSound`. `workerSource`: of {@link keepFrames}. */
export function installTap(workerSource) {
  const SEATS = 8;
  const NAMED = /^(audio\/opus|video\/(vp8|vp9|h264|av1|rtx))$/i;
  const TONE_BAND_HZ = 40;
  const [WIDTH, HEIGHT] = [64, 36];
  /** The part of the picture that is one colour; below it runs the counter. */
  const PLAIN_ROWS = 24;
  const TOLERANCE = 60;
  const tap = (window.webcallTap = {});
  const worker = new Worker(URL.createObjectURL(new Blob([`(${workerSource})()`])));
  const people = new Map();
  let pc = null;

  /** Bring up the socket: `request` of the protocol, and what is not an answer. */
  async function connect(token, hear) {
    const asked = await fetch('/api/v1/ws-ticket', { method: 'POST', headers: { authorization: `Bearer ${token}` } });
    const { ticket } = await asked.json();
    const socket = new WebSocket(`${location.origin.replace(/^http/, 'ws')}/api/v1/ws`, ['webcall.v1', `ticket.${ticket}`]);
    const pending = new Map();
    let id = 0;
    const request = (message) =>
      new Promise((resolve, reject) => {
        id += 1;
        pending.set(id, { resolve, reject });
        socket.send(JSON.stringify({ id, ...message }));
      });
    socket.onmessage = ({ data }) => {
      const frame = JSON.parse(data);
      const { resolve, reject } = pending.get(frame.id) ?? {};
      if (resolve === undefined) return hear(frame);
      if (frame.type === 'error') reject(new Error(frame.code));
      else resolve(frame);
    };
    await new Promise((resolve, reject) => Object.assign(socket, { onopen: resolve, onclose: ({ code }) => reject(new Error(`closed with ${code}`)) }));
    return { request, welcome: await request({ type: 'hello', version: 1 }) };
  }

  const allowed = (kind) => RTCRtpReceiver.getCapabilities(kind).codecs.filter(({ mimeType }) => NAMED.test(mimeType));

  function receive(kind, seat, dump) {
    const transceiver = pc.addTransceiver(kind, { direction: 'recvonly' });
    transceiver.setCodecPreferences(allowed(kind));
    if (dump) transceiver.receiver.transform = new RTCRtpScriptTransform(worker, { kind, seat });
    return transceiver;
  }

  /** Offers camera and microphone, whose frames are as the browser makes them. @returns the tracks for the offer, which know their `mid` once it is made */
  async function publish() {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
    return [['audio', 'microphone'], ['video', 'camera']].map(([kind, source]) => {
      const transceiver = pc.addTransceiver(stream.getTracks().find((track) => track.kind === kind), { direction: 'sendonly' });
      transceiver.setCodecPreferences(allowed(kind));
      return { transceiver, source };
    });
  }

  /** Joins as a member of the room; `dump`: keeps the frames that come; `sends`: sends unsealed ones. */
  tap.join = async ({ token, room, dump = false, sends = false }) => {
    const early = [];
    let hear = (frame) => early.push(frame);
    const { request, welcome } = await connect(token, (frame) => hear(frame));
    const joined = await request({ type: 'join', room, muted: sends ? [] : ['microphone', 'camera'] });
    pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle', iceServers: welcome.ice_servers });
    const sources = sends ? await publish() : [];
    const seats = Array.from({ length: SEATS }, (_, seat) => ({ audio: receive('audio', seat, dump), video: receive('video', seat, dump) }));
    const see = () => request({ type: 'view', wishes: [...people.keys()].map((participant) => ({ participant, kind: 'person', width: 320, pinned: false })) });
    for (const person of joined.participants) people.set(person.participant, person.username);
    hear = (frame) => {
      if (frame.type === 'participant_joined') people.set(frame.participant.participant, frame.participant.username), void see();
      if (frame.type === 'participant_left') people.delete(frame.participant);
      if (frame.type === 'seats') for (const { seat, feed } of frame.seats) show(seat, feed, seats[seat]);
    };
    early.forEach(hear);
    await pc.setLocalDescription();
    const mids = seats.map(({ audio, video }) => ({ audio_mid: audio.mid, video_mid: video.mid }));
    const { sdp } = await request({ type: 'offer', sdp: pc.localDescription.sdp, tracks: sources.map(({ transceiver, source }) => ({ mid: transceiver.mid, source })), seats: mids });
    await pc.setRemoteDescription({ type: 'answer', sdp });
    await see();
    return joined.participant;
  };

  tap.isConnected = () => pc?.connectionState === 'connected';

  function show(seat, feed, lines) {
    document.querySelector(`#seat-${seat}`)?.remove();
    if (feed === null) return;
    const tile = document.createElement('div');
    tile.id = `seat-${seat}`;
    Object.assign(tile.dataset, { tile: '', kind: feed.kind, participant: feed.participant, username: people.get(feed.participant) ?? '' });
    for (const [name, { receiver }] of [['video', lines.video], ['audio', lines.audio]]) {
      const element = document.createElement(name);
      Object.assign(element, { autoplay: true, muted: name === 'video', width: 320, height: 180, srcObject: new MediaStream([receiver.track]) });
      if (name === 'audio') element.dataset.participant = feed.participant;
      tile.append(element);
      void element.play().catch(() => {});
    }
    document.body.append(tile);
  }

  /** The frames since the last time, with whose they are by what the server says now. */
  tap.frames = () =>
    new Promise((resolve) => {
      const whose = (seat) => document.querySelector(`#seat-${seat}`)?.dataset.username ?? '';
      worker.onmessage = ({ data }) => resolve(data.map((frame) => ({ ...frame, username: whose(frame.seat) })));
      worker.postMessage('frames');
    });

  /** Frames of pictures and packets of sound that arrived, by the browser's statistics. */
  tap.received = async () => {
    const rows = [...(await pc.getStats()).values()].filter(({ type }) => type === 'inbound-rtp');
    const total = (kind, what) => rows.filter((row) => row.kind === kind).reduce((sum, row) => sum + (row[what] ?? 0), 0);
    return { pictures: total('video', 'framesReceived'), sounds: total('audio', 'packetsReceived') };
  };

  /**
   * Watches and listens from now on for what is like this person. `picture`: the most of one picture; `tone`: of all
   * the sound, because a moment of noise may be like any tone; `pictures`, `sounds`: how much came in meanwhile.
   */
  tap.watch = async (username, colour, hz) => {
    const before = await tap.received();
    const watch = { picture: 0, tone: 0, pictures: 0, sounds: 0 };
    let [looks, purity] = [0, 0];
    const look = async () => {
      watch.picture = Math.max(watch.picture, tap.likeness(username, colour));
      looks += 1;
      purity += tap.purity(username, hz);
      watch.tone = purity / looks;
      const now = await tap.received();
      Object.assign(watch, { pictures: now.pictures - before.pictures, sounds: now.sounds - before.sounds });
      if (tap.watched === watch) setTimeout(look, 50);
    };
    tap.watched = watch;
    void look();
  };

  const canvas = document.createElement('canvas');
  Object.assign(canvas, { width: WIDTH, height: HEIGHT });
  const brush = canvas.getContext('2d', { willReadFrequently: true, alpha: false });

  /** How much of a picture's plain part has a colour: 0 to 1. */
  function share(picture, colour) {
    brush.drawImage(picture, 0, 0, WIDTH, HEIGHT);
    const { data } = brush.getImageData(0, 0, WIDTH, PLAIN_ROWS);
    let alike = 0;
    for (let at = 0; at < data.length; at += 4) if (colour.every((part, index) => Math.abs(part - data[at + index]) <= TOLERANCE)) alike += 1;
    return (alike * 4) / data.length;
  }

  /** How much of what the picture of this person shows now has this colour. */
  tap.likeness = (username, colour) => {
    const video = document.querySelector(`[data-username="${username}"] video`);
    return video === null || video.readyState < 2 || video.videoWidth === 0 ? 0 : share(video, colour);
  };

  let audio = null;
  const ears = new Map();

  /** How much of the energy of what a person's sound is now stands around a tone: 0 to 1. */
  tap.purity = (username, hz) => {
    const element = document.querySelector(`[data-username="${username}"] audio`);
    if (element === null) return 0;
    audio ??= new AudioContext({ sampleRate: 48_000 });
    void audio.resume();
    if (!ears.has(element)) {
      const analyser = audio.createAnalyser();
      Object.assign(analyser, { fftSize: 8192, smoothingTimeConstant: 0 });
      const source = audio.createMediaStreamSource(element.srcObject);
      source.connect(analyser);
      ears.set(element, { source, analyser, spectrum: new Float32Array(analyser.frequencyBinCount) });
    }
    const { analyser, spectrum } = ears.get(element);
    analyser.getFloatFrequencyData(spectrum);
    let [near, all] = [0, 0];
    spectrum.forEach((level_db, bin) => {
      const power = level_db > -150 ? 10 ** (level_db / 10) : 0;
      all += power;
      if (Math.abs((bin * 48_000) / analyser.fftSize - hz) <= TONE_BAND_HZ) near += power;
    });
    return all < 1e-9 ? 0 : near / all;
  };

  const bytesOf = (data) => Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));

  /** As WebCodecs call what people send (RFC 6381): any profile and level that decodes their sizes; H.264 as it stands in Annex B. */
  const CODECS = { 'video/vp8': 'vp8', 'video/vp9': 'vp09.00.31.08', 'video/h264': 'avc1.42e01f', 'video/av1': 'av01.0.05M.08' };

  /**
   * Decodes pictures of one codec by themselves: how many were taken by a decoder, how many came out, how many of them are like the source, and how
   * much of the likest has its colour. `first`: a keyframe of somebody else, by which each decoder runs before it gets any of them; null: none.
   */
  tap.decodePictures = async (frames, first, mimeType, colour) => {
    const likeness = [];
    let [decoder, fed, errors] = [null, 0, 0];
    const chunk = (type, index, data) => new EncodedVideoChunk({ type, timestamp: index * 66_000, data: bytesOf(data) });
    const fresh = () => {
      const made = new VideoDecoder({
        output: (picture) => {
          likeness.push(share(picture, colour));
          picture.close();
        },
        error: () => {
          errors += 1;
          if (decoder === made) decoder = null;
        },
      });
      made.configure({ codec: CODECS[mimeType.toLowerCase()] });
      if (first !== null) made.decode(chunk('key', 0, first.data));
      return made;
    };
    const feed = (type, index, data) => {
      try {
        decoder.decode(chunk(type, index, data));
        fed += 1;
        return true;
      } catch {
        return false;
      }
    };
    for (const [index, { type, data }] of frames.entries()) {
      if (decoder === null && type !== 'key' && first === null) continue;
      decoder ??= fresh();
      // What is said to be a keyframe and does not look like one is refused, unless it is said to be none.
      if (!feed(type, index + 1, data) && !(first !== null && feed('delta', index + 1, data))) decoder = null;
      // Not by flushing, which would ask for a keyframe next. One that breaks is made anew with the next keyframe.
      while (decoder !== null && decoder.decodeQueueSize > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await decoder?.flush().catch(() => {});
    return { fed, pictures: likeness.length, errors, like: likeness.filter((each) => each > 0.8).length, most: Math.max(0, ...likeness) };
  };

  /** Decodes Opus by itself: how much of the energy of what comes out stands at the tone. */
  tap.decodeSound = async (frames, hz) => {
    const samples = [];
    let errors = 0;
    const fresh = () => {
      const made = new AudioDecoder({
        output: (sound) => {
          const block = new Float32Array(sound.numberOfFrames);
          sound.copyTo(block, { planeIndex: 0, format: 'f32-planar' });
          for (const sample of block) samples.push(Number.isFinite(sample) ? sample : 0);
          sound.close();
        },
        error: () => (errors += 1),
      });
      made.configure({ codec: 'opus', sampleRate: 48_000, numberOfChannels: 1 });
      return made;
    };
    let decoder = fresh();
    for (const [index, { data }] of frames.entries()) {
      if (decoder.state !== 'configured') decoder = fresh();
      decoder.decode(new EncodedAudioChunk({ type: 'key', timestamp: index * 20_000, data: bytesOf(data) }));
      if (index % 10 === 9) await decoder.flush().catch(() => {});
    }
    if (decoder.state === 'configured') await decoder.flush().catch(() => {});
    return { samples: samples.length, errors, purity: atTone(samples, hz) };
  };

  /** The share of one tone in the energy of these samples, in blocks so long that the tone of the next person is another. */
  function atTone(samples, hz) {
    const BLOCK = 4_800;
    let [near, all] = [0, 0];
    for (let start = 0; start + BLOCK <= samples.length; start += BLOCK) {
      let [real, imaginary] = [0, 0];
      for (let at = 0; at < BLOCK; at += 1) {
        const turn = (2 * Math.PI * hz * at) / 48_000;
        real += samples[start + at] * Math.cos(turn);
        imaginary += samples[start + at] * Math.sin(turn);
        all += samples[start + at] ** 2;
      }
      near += (2 * (real ** 2 + imaginary ** 2)) / BLOCK;
    }
    return all === 0 ? 0 : near / all;
  }
}
