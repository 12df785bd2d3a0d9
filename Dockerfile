# Two images from one build: `clusterbridge` is the program and nothing else;
# `tools` has a shell beside it, for the one-shot services of docker-compose.yml.

FROM golang:1.26.8-alpine3.23 AS build
# The program's own module, without the workspace: the demo's dependencies would
# raise its versions.
ENV GOWORK=off GOTOOLCHAIN=local CGO_ENABLED=0
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    go build -trimpath -tags timetzdata -ldflags "-s -w" -o /out/clusterbridge ./cmd/clusterbridge
# A new volume takes owner and mode from the folder that it is mounted on.
RUN mkdir -p /own/state && chmod 0700 /own/state

FROM alpine:3.23.5 AS tools
COPY --from=build /out/clusterbridge /usr/local/bin/clusterbridge
# Who reads a secret has to pass these folders; the files are what is closed.
# Not /secrets: where a consumer mounts a volume, its image must hold nothing
# that would be copied into it.
RUN for consumer in clusterbridge cluster postgres temporal ui grafana; do \
      mkdir -p "/made/$consumer" && chown 65532:65532 "/made/$consumer" && chmod 0755 "/made/$consumer"; \
    done
USER 65532:65532
CMD ["clusterbridge", "--help"]

FROM scratch AS clusterbridge
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build --chown=65532:65532 /own/ /
COPY --from=build /out/clusterbridge /clusterbridge
USER 65532:65532
ENTRYPOINT ["/clusterbridge"]
