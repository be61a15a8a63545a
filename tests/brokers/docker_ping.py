"""Ask the Docker engine that testcontainers would use whether it is there. A program: exit code 0 is yes."""

from __future__ import annotations

import sys

import docker
from testcontainers.core.docker_client import get_docker_host

TIMEOUT_SECONDS = 2


def main() -> None:
    host = get_docker_host()
    if host is None:
        client = docker.from_env(timeout=TIMEOUT_SECONDS)
    else:
        over_ssh = host.startswith("ssh://")
        client = docker.DockerClient(base_url=host, timeout=TIMEOUT_SECONDS, use_ssh_client=over_ssh)
    sys.exit(0 if client.ping() else 1)


if __name__ == "__main__":
    main()
