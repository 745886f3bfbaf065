# syntax=docker/dockerfile:1
# Two images from one file:  docker build --target serve .   ·   docker build --target train .
FROM python:3.11-slim AS base
RUN useradd --system --create-home --home-dir /valet --uid 10001 valet
WORKDIR /valet
ENV PYTHONUNBUFFERED=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
COPY requirements.lock requirements-serve.lock pyproject.toml README.md LICENCE ./
COPY models ./models
COPY service ./service

FROM base AS serve
RUN pip install --require-hashes -r requirements-serve.lock && pip install --no-deps .
USER valet
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=2s CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/livez', timeout=1)"]
CMD ["valet-serve", "--host", "0.0.0.0"]

FROM base AS train
COPY training ./training
RUN pip install --require-hashes -r requirements.lock && pip install --no-deps .
USER valet
ENTRYPOINT ["valet-train"]
