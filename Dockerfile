# longshore alone: no shell, no user but a numeric one. `scripts/container-image` gathers what goes in, a
# folder for each platform, because the programs are built before and outside of Docker.
FROM scratch
ARG TARGETARCH
COPY dist/linux-${TARGETARCH}/ /
USER 65532:65532
ENTRYPOINT ["/longshore"]
