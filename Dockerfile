# WebCall in an image: one binary on a slim Debian, as a user without rights, with its data in /data.
#
# This image was not built by the tests: they run where no container engine does. It is therefore kept to steps that can each be run
# by hand, and each was: the build from a copy of exactly the folders below, and the binary started by a user without rights from an
# empty folder.

FROM rust:1.95-slim-bookworm AS build
# The image's own compiler is the one in rust-toolchain.toml; this keeps rustup from fetching rustfmt and clippy beside it.
ENV RUSTUP_TOOLCHAIN=1.95.0
WORKDIR /build
COPY Cargo.toml Cargo.lock build.rs ./
COPY media media
COPY trust trust
COPY migrations migrations
COPY web web
COPY src src
RUN cargo build --release --locked --bin webcall

FROM debian:bookworm-slim
RUN useradd --system --uid 10001 --home-dir /data --create-home --shell /usr/sbin/nologin webcall
COPY --from=build /build/target/release/webcall /usr/local/bin/webcall
COPY turn.toml /etc/webcall/turn.toml
USER webcall
WORKDIR /data
VOLUME /data
# Pages, API, WebSocket and media over TCP: 8080, or with TLS 443 and 80, which leads there; TURN; and one UDP port for each media thread,
# from 50000 on (`workers` in turn.toml).
EXPOSE 8080/tcp 443/tcp 80/tcp 3478/udp 50000-50003/udp
HEALTHCHECK --interval=15s --timeout=3s --start-period=10s \
    CMD ["bash", "-c", "port=8080; [ -n \"$DOMAIN$TLS_CERT\" ] && port=443; exec 3<>/dev/tcp/127.0.0.1/${PORT:-$port} && printf 'GET /healthz HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n' >&3 && head -1 <&3 | grep -q ' 200'"]
CMD ["webcall", "--data", "/data", "--turn-config", "/etc/webcall/turn.toml"]
