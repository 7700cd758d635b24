// A synthetic camera, microphone and screen, installed into a page before its own scripts run.
//
// The picture is one plain colour with a counter of eight black or white blocks along its lower edge, so that whoever looks at the
// far end can say whose picture it is and that it moves. The sound is one steady tone. The function is sent to the browser as
// text (Playwright's init script, BiDi's preload script): it must name nothing outside itself.
//
// A timer of the page draws: a worker from a blob would break the page's own content policy, which the tests must not loosen. The
// browsers are started so that no timer of theirs is slowed.

/**
 * @param {{ colour: string, other_colour: string, tone_hz: number, screen_colour: string, screen_tone_hz: number, fps: number,
 *   width: number, height: number, denied?: boolean, silent?: boolean, relay_only?: 'udp' | 'tcp' | 'tls', frame_ms?: number }} options `denied`: every device is refused, as it is while the
 *   window's `sessionStorage` says so; `silent`: a microphone without a tone; `relay_only`: media through TURN relays
 *   and nothing else, reached in this way; `frame_ms`: how long a frame of sound is, where not as long as the browser makes it
 */
export function installSyntheticMedia(options) {
  const test = (window.webcallTest ??= {});
  test.connections = [];
  test.violations = [];
  document.addEventListener('securitypolicyviolation', (event) => {
    test.violations.push(`${event.effectiveDirective}: ${event.blockedURI} (${event.sourceFile ?? ''}:${event.lineNumber ?? 0})`);
  });

  const Native = window.RTCPeerConnection;
  window.RTCPeerConnection = class RTCPeerConnection extends Native {
    constructor(configuration) {
      super(options.relay_only ? throughRelays(configuration, options.relay_only) : configuration);
      test.connections.push(this);
    }

    setRemoteDescription(description) {
      return super.setRemoteDescription(options.frame_ms ? { ...description, sdp: withFrames(description.sdp, options.frame_ms) } : description);
    }
  };

  /** As if whoever receives wished for frames of this length (RFC 8866 §6.4). */
  function withFrames(sdp, frame_ms) {
    return sdp.replace(/^m=audio .*(?:\r\n(?!m=).+)*/gm, (section) => `${section}\r\na=ptime:${frame_ms}\r\na=maxptime:${frame_ms}`);
  }

  /** Servers of one kind alone: `turn:` over UDP or TCP, or `turns:`. */
  function throughRelays(configuration, way) {
    const is_wanted = (url) => (way === 'tls' ? url.startsWith('turns:') : url.startsWith('turn:') && url.endsWith(`transport=${way}`));
    const servers = configuration.iceServers.map((server) => ({ ...server, urls: [server.urls].flat().filter(is_wanted) }));
    return { ...configuration, iceTransportPolicy: 'relay', iceServers: servers.filter((server) => server.urls.length > 0) };
  }

  const COUNTER_BITS = 8;

  function picture(colour, width, height) {
    const canvas = document.createElement('canvas');
    canvas.width = width;
    canvas.height = height;
    const brush = canvas.getContext('2d', { alpha: false });
    let counter = 0;
    const draw = () => {
      counter = (counter + 1) % (1 << COUNTER_BITS);
      brush.fillStyle = colour;
      brush.fillRect(0, 0, width, height);
      const block = width / COUNTER_BITS;
      for (let bit = 0; bit < COUNTER_BITS; bit += 1) {
        brush.fillStyle = (counter >> bit) & 1 ? '#ffffff' : '#000000';
        brush.fillRect(bit * block, height * 0.75, block, height * 0.25);
      }
    };
    draw();
    return { canvas, draw, timer: 0, watchers: 0 };
  }

  const pictures = new Map();
  function videoTrack(deviceId, label, colour, width, height) {
    if (!pictures.has(deviceId)) pictures.set(deviceId, picture(colour, width, height));
    const source = pictures.get(deviceId);
    if (source.watchers === 0) source.timer = setInterval(source.draw, 1000 / options.fps);
    source.watchers += 1;
    const [track] = source.canvas.captureStream(options.fps).getVideoTracks();
    return dressed(track, deviceId, label, { width, height, frameRate: options.fps }, () => {
      source.watchers -= 1;
      if (source.watchers === 0) clearInterval(source.timer);
    });
  }

  let audio = null;
  function audioTrack(deviceId, label, tone_hz) {
    audio ??= new AudioContext({ sampleRate: 48_000 });
    void audio.resume();
    const tone = audio.createOscillator();
    const level = audio.createGain();
    const sink = audio.createMediaStreamDestination();
    tone.frequency.value = tone_hz;
    level.gain.value = options.silent ? 0 : 0.3;
    tone.connect(level).connect(sink);
    tone.start();
    const [track] = sink.stream.getAudioTracks();
    return dressed(track, deviceId, label, { sampleRate: 48_000, channelCount: 1 }, () => tone.stop());
  }

  // Makes a track look as if it came from a device, and ends its source with it.
  function dressed(track, deviceId, label, settings, end) {
    const stop = track.stop.bind(track);
    let ended = false;
    Object.defineProperty(track, 'label', { value: label });
    track.getSettings = () => ({ ...settings, deviceId, groupId: 'synthetic' });
    track.applyConstraints = () => Promise.resolve();
    track.stop = () => {
      stop();
      if (!ended) end();
      ended = true;
    };
    return track;
  }

  const cameras = [
    { deviceId: 'camera-1', label: 'Synthetic camera', colour: options.colour },
    { deviceId: 'camera-2', label: 'Other synthetic camera', colour: options.other_colour },
  ];
  const microphones = [{ deviceId: 'microphone-1', label: 'Synthetic microphone', tone_hz: options.tone_hz }];

  function chosen(devices, constraint) {
    const wish = typeof constraint === 'object' ? constraint.deviceId : undefined;
    const id = typeof wish === 'object' && wish !== null ? (wish.exact ?? wish.ideal) : wish;
    const device = devices.find((candidate) => candidate.deviceId === [id].flat()[0]);
    if (device === undefined && typeof wish === 'object' && wish?.exact !== undefined) {
      throw new DOMException('no such device', 'OverconstrainedError');
    }
    return device ?? devices[0];
  }

  function replace(target, name, value) {
    Object.defineProperty(target, name, { value, configurable: true, writable: true });
  }

  const devices = navigator.mediaDevices;
  if (devices === undefined) return; // A page without a secure origin (about:blank) has none to replace.
  replace(devices, 'getUserMedia', async (constraints = {}) => {
    if (options.denied || sessionStorage.getItem('webcall-test.denied') !== null) throw new DOMException('denied by the test', 'NotAllowedError');
    const tracks = [];
    if (constraints.audio) {
      const device = chosen(microphones, constraints.audio);
      tracks.push(audioTrack(device.deviceId, device.label, device.tone_hz));
    }
    if (constraints.video) {
      const device = chosen(cameras, constraints.video);
      tracks.push(videoTrack(device.deviceId, device.label, device.colour, options.width, options.height));
    }
    if (tracks.length === 0) throw new TypeError('neither audio nor video asked for');
    return new MediaStream(tracks);
  });
  replace(devices, 'getDisplayMedia', async (constraints = {}) => {
    const tracks = [videoTrack('screen-1', 'Synthetic screen', options.screen_colour, 640, 360)];
    if (constraints.audio) tracks.push(audioTrack('screen-audio-1', 'Synthetic screen sound', options.screen_tone_hz));
    return new MediaStream(tracks);
  });
  replace(devices, 'enumerateDevices', async () => [
    ...cameras.map((device) => listed(device, 'videoinput')),
    ...microphones.map((device) => listed(device, 'audioinput')),
  ]);

  function listed(device, kind) {
    const entry = { deviceId: device.deviceId, kind, label: device.label, groupId: 'synthetic' };
    return { ...entry, toJSON: () => entry };
  }
}
