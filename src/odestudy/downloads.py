"""Every download goes over https."""

from __future__ import annotations

import urllib.request
from http.client import HTTPResponse
from urllib.error import URLError

# torchvision fetches Fashion-MNIST over http; its authors' repository has the same files, whose sums are checked.
OVER_HTTPS = {
    "fashion-mnist.s3-website.eu-central-1.amazonaws.com/": (
        "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/"
    ),
}


class _OnlyHttps(urllib.request.HTTPHandler):
    """In place of the handler of http: another address, or a refusal."""

    def http_open(self, req: urllib.request.Request) -> HTTPResponse:
        plain = req.full_url.removeprefix("http://")
        for address, other in OVER_HTTPS.items():
            if plain.startswith(address):
                url = other + plain.removeprefix(address)
                return self.parent.open(urllib.request.Request(url, headers=req.headers), timeout=req.timeout)
        raise URLError(f"{req.full_url}: refused, for it is not over https")


def only_https() -> None:
    """Let urllib, which torchvision downloads with, open no address over plain http, nor be sent to one.

    Raises (later, from urlopen):
        URLError: the address is not over https and no other is known.
    """
    urllib.request.install_opener(urllib.request.build_opener(_OnlyHttps))
