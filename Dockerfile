# syntax=docker/dockerfile:1
# The sidecar in a container: docker run … proxy-guard --upstream https://api.openai.com

FROM python:3.12-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src

# requirements.lock pins everything by hash, but it is the list for development: with test tools and the demo. So it is not
# installed as it stands. All of it is fetched here, each file checked against its hash, and the environment below is then
# installed from these files alone (--no-index): only what the extras need, only in the pinned versions. What is fetched
# without a hash is the build backend that pyproject.toml names; it stays in this stage.
COPY requirements.lock ./
RUN pip wheel --no-deps --require-hashes --requirement requirements.lock --wheel-dir /wheels

COPY pyproject.toml README.md LICENSE ./
COPY proxy_guard proxy_guard
COPY rules rules
COPY addons addons
RUN pip wheel --no-deps --wheel-dir /dist . \
 && python -m venv --without-pip /opt/proxy-guard \
 && pip --python /opt/proxy-guard/bin/python install --no-index --find-links /wheels --find-links /dist 'proxy-guard[mitm,ner]'

# What the image has of packages, as CycloneDX; the tool that says so stays in this stage.
RUN python -m venv /sbom \
 && /sbom/bin/pip install --no-index --find-links /wheels cyclonedx-bom \
 && /sbom/bin/cyclonedx-py environment /opt/proxy-guard/bin/python --pyproject pyproject.toml --output-reproducible \
    --of JSON -o /opt/proxy-guard/sbom.cdx.json

# The shipped rules, proven with what is installed. The proofs need the pattern database, so this leaves it in the cache and
# the first start finds it there. It is made for this machine's processor; on one that can't use it, it is compiled anew.
ENV PATH=/opt/proxy-guard/bin:$PATH HOME=/data PROXY_GUARD_CACHE=/data/cache
RUN mkdir -p /data \
 && proxy-guard init /rules \
 && proxy-guard lint /rules \
 && proxy-guard test /rules


FROM python:3.12-slim
RUN groupadd --gid 10001 guard \
 && useradd --uid 10001 --gid guard --no-create-home --home-dir /data --shell /usr/sbin/nologin guard
COPY --from=build /opt/proxy-guard /opt/proxy-guard
COPY --from=build /rules /rules
COPY --from=build --chown=10001:10001 /data /data

# Nothing is written outside of /data: the pattern cache, and mitmproxy's folder in HOME. So the root file system can be
# read-only. A new volume starts with what the image has there; a tmpfs starts empty, and the database is compiled.
ENV PATH=/opt/proxy-guard/bin:$PATH \
    HOME=/data \
    PROXY_GUARD_CACHE=/data/cache \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
VOLUME ["/data"]
WORKDIR /data
USER 10001:10001
EXPOSE 8080

# The sidecar listens only once its rules are loaded.
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
  CMD ["python", "-c", "import socket; socket.create_connection(('127.0.0.1', 8080), 3).close()"]

# Options of `proxy-guard run` follow; --upstream is the one that is needed.
ENTRYPOINT ["proxy-guard", "run", "--listen", "0.0.0.0:8080", "--rules", "/rules"]
CMD ["--help"]
