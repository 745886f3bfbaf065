# syntax=docker/dockerfile:1
# Two images from one file:  docker build --target serve .   ·   docker build --target train .
# Packages are installed where a compiler may be and copied where there is none; both run as a user without rights, on a read-only file system.
FROM python:3.11-slim AS base
RUN useradd --system --create-home --home-dir /valet --uid 10001 valet && mkdir /models /keys /events /audit && chown valet /models /keys /events /audit
WORKDIR /valet
ENV PATH=/opt/valet/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 VALET_MODELS_DIR=/models
VOLUME /models

FROM base AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/valet
COPY requirements.lock requirements-serve.lock pyproject.toml README.md LICENCE ./
RUN pip install --require-hashes -r requirements-serve.lock
COPY models ./models
COPY service ./service

FROM build AS build-serve
RUN pip install --no-deps . && pip uninstall --yes pip

FROM build AS build-train
RUN pip install --require-hashes -r requirements.lock
COPY training ./training
RUN pip install --no-deps . && pip uninstall --yes pip

# implicit looks for the system's libgomp, which comes with a compiler, and with nothing else
FROM base AS train-base
RUN apt-get update && apt-get install --yes --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/*

FROM train-base AS train
COPY --from=build-train /opt/valet /opt/valet
USER valet
ENTRYPOINT ["valet-train"]

FROM base AS serve
COPY --from=build-serve /opt/valet /opt/valet
USER valet
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=2s --start-period=20s CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/livez', timeout=1)"]
CMD ["valet-serve", "--host", "0.0.0.0"]
