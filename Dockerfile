# The static binary and nothing else, as a user that is not root, without capabilities in files:
#   docker build -t tcpprobe:0.1.0 .
# As root, for raw probes where the container has NET_RAW:
#   docker build --target raw -t tcpprobe:0.1.0-raw .
FROM rust:1-slim AS build
WORKDIR /tcpprobe
COPY . .
RUN RUSTFLAGS='-C target-feature=+crt-static' cargo build --locked --release --target "$(rustc --print host-tuple)"
RUN cp target/*-linux-gnu/release/tcpprobe /usr/local/bin/tcpprobe

FROM scratch AS raw
COPY --from=build /usr/local/bin/tcpprobe /tcpprobe
USER 0:0
ENTRYPOINT ["/tcpprobe"]

FROM scratch AS restricted
COPY --from=build /usr/local/bin/tcpprobe /tcpprobe
USER 65532:65532
ENTRYPOINT ["/tcpprobe"]
