# The study in a container, with the pins of constraints.txt and torch as PyPI has it (CUDA on x86-64 Linux).
#   docker build -t odestudy .
#   docker run --rm --gpus all -v "$PWD/results:/odestudy/results" odestudy make study TIER=quick
# Without a GPU leave out --gpus. Apptainer: apptainer build odestudy.sif docker-daemon://odestudy:latest
FROM python:3.11.14-slim-bookworm

RUN apt-get update \
    && apt-get install -y --no-install-recommends git=1:2.39.* make=4.3-* \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /odestudy
COPY . .
# The Makefile's own environment is made here, so that `make study` starts at once and needs no network.
RUN make --silent .venv/study.stamp PYTHON=python3
ENV PATH="/odestudy/.venv/bin:${PATH}" MPLCONFIGDIR=/tmp/matplotlib

CMD ["make", "study"]
