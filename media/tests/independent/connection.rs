//! One peer connection of the `rtc` crate: its codecs, its tracks and seats, its offers. No socket.
//!
//! The payload types and SSRCs differ from participant to participant, so that a number which reaches a subscriber unchanged shows.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::tap::RtcpTap;
use rtc::dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use rtc::interceptor::{Registry, Slot};
use rtc::media_stream::MediaStreamTrack;
use rtc::peer_connection::configuration::interceptor_registry::{
    configure_nack, configure_rtcp_reports, configure_twcc_sender_only,
};
use rtc::peer_connection::configuration::media_engine::{MIME_TYPE_OPUS, MIME_TYPE_RTX, MIME_TYPE_VP8, MediaEngine};
use rtc::peer_connection::configuration::setting_engine::{SettingEngine, SettingEngineBuilder};
use rtc::peer_connection::transport::{CandidateConfig, CandidateHostConfig, RTCIceCandidate};
use rtc::peer_connection::{RTCPeerConnection, RTCPeerConnectionBuilder};
use rtc::rtp_transceiver::rtp_sender::{
    RTCRtpCodec, RTCRtpCodecParameters, RTCRtpCodingParameters, RTCRtpEncodingParameters, RTCRtpHeaderExtensionCapability,
    RTCRtpRtxParameters, RtpCodecKind,
};
use rtc::rtp_transceiver::{RTCRtpSenderId, RTCRtpTransceiverDirection, RTCRtpTransceiverInit};
use webcall_media::{Offer, SeatOffer, Source, TrackOffer};

/// The mid as a header extension (RFC 8843 §15).
pub(crate) const MID_EXTENSION: &str = "urn:ietf:params:rtp-hdrext:sdes:mid";
/// Longer than any test waits: a busy machine is no reason to give a connection up.
const PATIENCE: Duration = Duration::from_secs(60);
const KEEPALIVE: Duration = Duration::from_secs(1);

/// How a participant numbers and names what it sends.
#[derive(Clone, Copy)]
pub(crate) struct Manner {
    pub(crate) opus: u8,
    pub(crate) vp8: u8,
    pub(crate) rtx: u8,
    pub(crate) srtp: SrtpProtectionProfile,
    pub(crate) naming: Naming,
}

/// How the server learns which track an SSRC belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Naming {
    /// The offer declares the SSRCs; packets have no mid, as this crate does it by itself.
    DeclaredSsrcs,
    /// The offer declares none; packets carry the mid of their track, as browsers do it.
    Mids,
}

impl Manner {
    pub(crate) const FIRST: Self =
        Self { opus: 111, vp8: 96, rtx: 97, srtp: SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm, naming: Naming::DeclaredSsrcs };
    pub(crate) const SECOND: Self =
        Self { opus: 109, vp8: 120, rtx: 124, srtp: SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80, naming: Naming::Mids };
}

/// The SSRCs with which a participant sends.
#[derive(Clone, Copy)]
pub(crate) struct Ssrcs {
    pub(crate) audio: u32,
    pub(crate) video: u32,
    pub(crate) video_rtx: u32,
}

impl Ssrcs {
    pub(crate) fn of(participant: u64) -> Self {
        let base = 1_000_000 * participant as u32;
        Self { audio: base + 1, video: base + 2, video_rtx: base + 3 }
    }
}

pub(crate) struct Connection {
    pub(crate) pc: RTCPeerConnection,
    pub(crate) manner: Manner,
    pub(crate) ssrcs: Ssrcs,
    pub(crate) microphone: RTCRtpSenderId,
    pub(crate) camera: RTCRtpSenderId,
    seats: usize,
}

impl Connection {
    /// A connection that sends a microphone and a camera and has no seats yet.
    pub(crate) fn new(now: Instant, participant: u64, manner: Manner, local: SocketAddr) -> Self {
        let mut engine = MediaEngine::default();
        engine.register_codec(opus(manner), RtpCodecKind::Audio).expect("opus is audio");
        engine.register_codec(vp8(manner), RtpCodecKind::Video).expect("VP8 is video");
        engine.register_codec(rtx(manner), RtpCodecKind::Video).expect("RTX is registered as video");
        if manner.naming == Naming::Mids {
            let mid = RTCRtpHeaderExtensionCapability { uri: MID_EXTENSION.to_owned() };
            engine.register_header_extension(mid.clone(), RtpCodecKind::Audio, None).expect("an id is free");
            engine.register_header_extension(mid, RtpCodecKind::Video, None).expect("an id is free");
        }
        // The last of the chain, so that what the others answer by themselves is seen all the same.
        let registry = Registry::new().with(Slot::from(20_000), RtcpTap::default());
        let registry = configure_rtcp_reports(configure_nack(registry, &mut engine));
        let registry = configure_twcc_sender_only(registry, &mut engine).expect("an id is free");
        let mut pc = RTCPeerConnectionBuilder::new()
            .with_media_engine(engine)
            .with_setting_engine(settings(manner))
            .with_interceptor_registry(registry)
            .build(now)
            .expect("the configuration is valid");
        pc.add_local_candidate(host_candidate(local)).expect("a host candidate");
        let ssrcs = Ssrcs::of(participant);
        let microphone = add_track(&mut pc, "microphone", RtpCodecKind::Audio, opus(manner).rtp_codec, ssrcs.audio, None);
        let camera = add_track(&mut pc, "camera", RtpCodecKind::Video, vp8(manner).rtp_codec, ssrcs.video, Some(ssrcs.video_rtx));
        Self { pc, manner, ssrcs, microphone, camera, seats: 0 }
    }

    pub(crate) fn add_seats(&mut self, count: usize) {
        for kind in [RtpCodecKind::Audio, RtpCodecKind::Video].repeat(count) {
            self.pc.add_transceiver_from_kind(kind, None).expect("a receiving transceiver needs nothing");
        }
        self.seats += count;
    }

    /// Makes an offer and takes it as the local description.
    pub(crate) fn offer(&mut self, now: Instant) -> Offer {
        let description = self.pc.create_offer(None).expect("an offer");
        self.pc.set_local_description(now, description.clone()).expect("its own offer");
        let is_declaring = self.manner.naming == Naming::DeclaredSsrcs;
        let lines = description.sdp.lines().filter(|line| is_declaring || !line.starts_with("a=ssrc"));
        let sdp: String = lines.flat_map(|line| [line, "\r\n"]).collect();
        let mids: Vec<String> = sdp.lines().filter_map(|line| line.strip_prefix("a=mid:")).map(str::to_owned).collect();
        assert_eq!(mids.len(), 2 + 2 * self.seats, "each transceiver has a line:\n{sdp}");
        Offer {
            tracks: vec![
                TrackOffer { mid: mids[0].clone(), source: Source::Microphone },
                TrackOffer { mid: mids[1].clone(), source: Source::Camera },
            ],
            seats: mids[2..].chunks(2).map(|pair| SeatOffer { audio_mid: pair[0].clone(), video_mid: pair[1].clone() }).collect(),
            sdp,
        }
    }
}

fn settings(manner: Manner) -> SettingEngine {
    SettingEngineBuilder::new()
        .with_srtp_protection_profiles(vec![manner.srtp])
        .with_ice_timeouts(Some(PATIENCE), Some(PATIENCE), Some(KEEPALIVE))
        .build()
}

fn add_track(
    pc: &mut RTCPeerConnection,
    name: &str,
    kind: RtpCodecKind,
    codec: RTCRtpCodec,
    ssrc: u32,
    rtx_ssrc: Option<u32>,
) -> RTCRtpSenderId {
    let encoding = RTCRtpEncodingParameters {
        rtp_coding_parameters: RTCRtpCodingParameters {
            ssrc: Some(ssrc),
            rtx: rtx_ssrc.map(|ssrc| RTCRtpRtxParameters { ssrc }),
            ..Default::default()
        },
        codec,
        ..Default::default()
    };
    let track = MediaStreamTrack::new("person".to_owned(), name.to_owned(), name.to_owned(), kind, vec![encoding]);
    let init = RTCRtpTransceiverInit { direction: RTCRtpTransceiverDirection::Sendonly, ..Default::default() };
    let transceiver = pc.add_transceiver_from_track(track, Some(init)).expect("a sending transceiver");
    pc.rtp_transceiver(transceiver).and_then(|transceiver| transceiver.sender()).expect("it sends")
}

fn host_candidate(local: SocketAddr) -> rtc::peer_connection::transport::RTCIceCandidateInit {
    let base_config = CandidateConfig {
        network: "udp".to_owned(),
        address: local.ip().to_string(),
        port: local.port(),
        component: 1,
        ..Default::default()
    };
    let candidate = CandidateHostConfig { base_config, ..Default::default() }.new_candidate_host().expect("an address of ours");
    RTCIceCandidate::from(&candidate).to_json().expect("a candidate can be written")
}

fn opus(manner: Manner) -> RTCRtpCodecParameters {
    codec(MIME_TYPE_OPUS, 48_000, 2, "minptime=10;useinbandfec=1".to_owned(), manner.opus)
}

fn vp8(manner: Manner) -> RTCRtpCodecParameters {
    codec(MIME_TYPE_VP8, 90_000, 0, String::new(), manner.vp8)
}

fn rtx(manner: Manner) -> RTCRtpCodecParameters {
    codec(MIME_TYPE_RTX, 90_000, 0, format!("apt={}", manner.vp8), manner.rtx)
}

fn codec(mime_type: &str, clock_rate: u32, channels: u16, sdp_fmtp_line: String, payload_type: u8) -> RTCRtpCodecParameters {
    let rtp_codec =
        RTCRtpCodec { mime_type: mime_type.to_owned(), clock_rate, channels, sdp_fmtp_line, rtcp_feedback: Vec::new() };
    RTCRtpCodecParameters { rtp_codec, payload_type }
}
