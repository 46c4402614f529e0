# syntax=docker/dockerfile:1

# SQLite is C, so the program needs a C compiler to build and a libc to run.
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=1 CGO_CFLAGS="-O2 -g -DSQLITE_ENABLE_QPSG" go build -trimpath -o /out/pointgate ./cmd/pointgate

FROM debian:bookworm-slim
# The roots are for PostgreSQL with sslmode=verify-full.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/pointgate /usr/local/bin/pointgate
RUN useradd --system --uid 10001 --user-group --home-dir /data --no-create-home --shell /usr/sbin/nologin pointgate \
    && install --directory --mode=0700 --owner=pointgate --group=pointgate /data \
    && install --directory --mode=0755 --owner=pointgate --group=pointgate /checkpoint
USER 10001
# No secret belongs in an image. Public URL, certificate or trusted proxies come
# from the environment or from a file; without them the listener is refused.
ENV POINTGATE_DATA=/data \
    POINTGATE_CHECKPOINT_FILE=/checkpoint/checkpoint \
    POINTGATE_LISTEN=0.0.0.0:8080 \
    POINTGATE_LOG_FORMAT=json
# Two volumes: the newest checkpoint tells when /data was put back.
VOLUME /data /checkpoint
EXPOSE 8080
STOPSIGNAL SIGTERM
# The operators' listener stays on the container's own loopback. The image has
# no curl; bash speaks enough HTTP for this.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
    CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/9464 && printf 'GET /healthz HTTP/1.0\\r\\n\\r\\n' >&3 && head -n 1 <&3 | grep -q ' 200 '"]
ENTRYPOINT ["/usr/local/bin/pointgate"]
CMD ["serve"]
