"""What HTTP/1.1 asks of a server that others stand in front of: bytes on a socket, what must come back, and the rule it stands on.
Every row runs against the three ports. Where RFC 9112 lets a recipient repair, we refuse: the proxy in front may repair it differently.

A row says the statuses that come back, in order (`POST`, `GET` stand for what this port answers to a well-formed one), and whether the
connection is then closed by the server or serves another request.
"""
import contextlib
import dataclasses
import re
import socket
import time
import typing

import pytest
import requests
from conftest import LEADS

POST, GET = "POST", "GET"
CLOSED, OPEN = "closed", "open"
CHUNKED = b"Transfer-Encoding: chunked"


@dataclasses.dataclass
class Port:
    """How a well-formed request to one of the listeners looks, and what it is answered."""
    name: str
    number: int
    post_target: bytes
    get_target: bytes
    headers: tuple
    body: bytes
    statuses: dict = dataclasses.field(default_factory=dict)

    def request(self, *headers, line=None, host=b"Host: 127.0.0.1", body=b""):
        lines = [line or b"POST %s HTTP/1.1" % self.post_target, *([host] if host is not None else []), *self.headers, *headers]
        return b"".join(part + b"\r\n" for part in lines) + b"\r\n" + body

    def sized(self, *headers, **more):
        return self.request(b"Content-Length: %d" % len(self.body), *headers, body=self.body, **more)

    def chunked(self, chunks, *headers, **more):
        return self.request(CHUNKED, *headers, body=chunks, **more)

    def chunk(self, size=b"%x"):
        return size % len(self.body) + b"\r\n" + self.body + b"\r\n"

    def get(self, *headers, target=None, version=b"HTTP/1.1", method=b"GET", host=b"Host: 127.0.0.1"):
        lines = [b"%s %s %s" % (method, target or self.get_target, version), *([host] if host is not None else []), *headers]
        return b"".join(part + b"\r\n" for part in lines) + b"\r\n"


class Either:
    """Several outcomes, each a status or a list of them, of which any will do."""

    def __init__(self, *outcomes):
        self.outcomes = [outcome if isinstance(outcome, list) else [outcome] for outcome in outcomes]


class Row(typing.NamedTuple):
    name: str
    data: typing.Callable
    statuses: list | Either
    then: str
    rule: str

    def outcomes(self):
        return self.statuses.outcomes if isinstance(self.statuses, Either) else [self.statuses]

    def ends(self):
        """Whether the client says with the end of its data that nothing more comes."""
        return self.then == CLOSED and (self.statuses == [] or self.name.endswith("early"))


def length(value):
    return lambda p: p.request(b"Content-Length:" + value, body=p.body)


def coding(*headers):
    return lambda p: p.request(*headers, body=p.chunk() + b"0\r\n\r\n")


def size_line(line):
    """A chunk whose size line is this one, with %x where its true size goes."""
    return lambda p: p.chunked(line.replace(b"%x", b"%x" % len(p.body)) + p.body + b"\r\n0\r\n\r\n")


def field(line):
    return lambda p: p.sized(line)


def request_line(form):
    return lambda p: p.sized(line=form.replace(b"TARGET", p.post_target))


def host(line):
    return lambda p: p.get(host=line)


ROWS = [
    # ---- where a body ends: what smuggles a request past the proxy in front
    Row("length and chunks", lambda p: p.request(b"Content-Length: 5", CHUNKED, body=b"0\r\n\r\n" + p.get()), [400], CLOSED, "RFC 9112 6.3"),
    Row("chunks and length", lambda p: p.request(CHUNKED, b"Content-Length: 5", body=b"0\r\n\r\n" + p.get()), [400], CLOSED, "RFC 9112 6.3"),
    Row("two lengths that differ", lambda p: p.sized(b"Content-Length: 1"), [400], CLOSED, "RFC 9112 6.3"),
    Row("two lengths that agree", lambda p: p.sized(b"Content-Length: %d" % len(p.body)), [400], CLOSED, "RFC 9112 6.3: may be refused"),
    Row("a list of lengths", length(b" 5, 5"), [400], CLOSED, "RFC 9112 6.3: may be refused"),
    Row("a signed length", length(b" +5"), [400], CLOSED, "RFC 9110 8.6"),
    Row("a negative length", length(b" -1"), [400], CLOSED, "RFC 9110 8.6"),
    Row("a length in hexadecimal", length(b" 0x5"), [400], CLOSED, "RFC 9110 8.6"),
    Row("an empty length", length(b""), [400], CLOSED, "RFC 9110 8.6"),
    Row("a length with a space in it", length(b" 1 2"), [400], CLOSED, "RFC 9110 8.6"),
    Row("a length with an underscore", length(b" 1_2"), [400], CLOSED, "RFC 9110 8.6"),
    Row("a length in other digits", length(b" \xd9\xa5"), [400], CLOSED, "RFC 9110 8.6"),
    Row("a length with a point", length(b" 5.0"), [400], CLOSED, "RFC 9110 8.6"),
    Row("a length with a vertical tab", length(b" \x0b5"), [400], CLOSED, "RFC 9110 5.5"),
    Row("a length too large for a number", length(b" 99999999999999999999"), [400], CLOSED, "RFC 9110 8.6"),
    Row("a length of 2^64 + 1", length(b" 18446744073709551617"), [400], CLOSED, "RFC 9110 8.6"),
    Row("a length beyond the limit", length(b" 100000000"), [413], CLOSED, "hostile 10: before reading"),
    Row("a coding that hides", coding(b"Transfer-Encoding: chunked, identity"), [501], CLOSED, "RFC 9112 6.1"),
    Row("identity alone", coding(b"Transfer-Encoding: identity"), [501], CLOSED, "RFC 9112 6.1"),
    Row("an unknown coding", coding(b"Transfer-Encoding: xchunked"), [501], CLOSED, "RFC 9112 6.1"),
    Row("gzip below chunks", coding(b"Transfer-Encoding: gzip, chunked"), [501], CLOSED, "RFC 9112 6.1"),
    Row("chunked twice in one line", coding(b"Transfer-Encoding: chunked, chunked"), [501], CLOSED, "RFC 9112 6.1"),
    Row("chunked in two lines", coding(CHUNKED, CHUNKED), [400], CLOSED, "RFC 9112 6.1"),
    Row("chunked and identity in two lines", coding(CHUNKED, b"Transfer-Encoding: identity"), [400], CLOSED, "RFC 9112 6.1"),
    Row("identity and chunked in two lines", coding(b"Transfer-Encoding: identity", CHUNKED), [501], CLOSED, "RFC 9112 6.1"),
    Row("an empty coding", coding(b"Transfer-Encoding:"), [501], CLOSED, "RFC 9112 6.1"),
    Row("chunked with a comma behind", coding(b"Transfer-Encoding: chunked,"), [501], CLOSED, "RFC 9112 6.1"),
    Row("chunked with a comma before", coding(b"Transfer-Encoding: ,chunked"), [501], CLOSED, "RFC 9112 6.1"),
    Row("chunked with a parameter", coding(b"Transfer-Encoding: chunked;q=1"), [501], CLOSED, "RFC 9112 7"),
    Row("chunked in quotes", coding(b'Transfer-Encoding: "chunked"'), [501], CLOSED, "RFC 9112 7"),
    Row("chunked behind a vertical tab", coding(b"Transfer-Encoding: \x0bchunked"), Either(400, 501), CLOSED, "RFC 9110 5.5"),
    Row("chunked behind a NUL", coding(b"Transfer-Encoding: \0chunked"), [400], CLOSED, "RFC 9110 5.5"),
    Row("chunked in capitals", coding(b"Transfer-Encoding: CHUNKED"), [POST], OPEN, "RFC 9112 7: case does not matter"),
    Row("chunked behind a tab", coding(b"Transfer-Encoding:\tchunked"), [POST], OPEN, "RFC 9110 5.5: white space around a value"),
    Row("a coding with a space before its colon", coding(b"Transfer-Encoding : chunked"), [400], CLOSED, "RFC 9112 5.1"),
    Row("a folded coding", coding(b"Transfer-Encoding:\r\n chunked"), [400], CLOSED, "RFC 9112 5.2"),
    Row("chunks in HTTP/1.0", lambda p: p.chunked(p.chunk() + b"0\r\n\r\n", line=b"POST %s HTTP/1.0" % p.post_target), [400], CLOSED, "RFC 9112 6.1"),
    Row("a length that underscores", lambda p: p.sized(b"Content_Length: 1"), [POST], OPEN, "RFC 9110 5.1: another field"),
    Row("a length behind a colon line", lambda p: p.sized(b": 1"), [400], CLOSED, "RFC 9110 5.1"),
    Row("a request in a GET's body", lambda p: p.get(b"Content-Length: %d" % len(p.get())) + p.get(), Either(GET, 400), OPEN, "RFC 9110 9.3.1: its body is no request"),
    Row("leading zeros", lambda p: p.request(b"Content-Length: 0%d" % len(p.body), body=p.body), [POST], OPEN, "RFC 9110 8.6: 1*DIGIT"),
    Row("a body shorter than said, then the end", lambda p: p.request(b"Content-Length: %d" % (len(p.body) + 9), body=p.body), [], CLOSED, "hostile 11"),
    Row("more bytes than said", lambda p: p.sized() + b"xyz\r\n\r\n", [POST, 400], CLOSED, "hostile 11: the rest is the next request"),

    # ---- chunks
    Row("chunks", lambda p: p.chunked(p.chunk() + b"0\r\n\r\n"), [POST], OPEN, "RFC 9112 7.1"),
    Row("single bytes", lambda p: p.chunked(b"".join(b"1\r\n%c\r\n" % c for c in p.body) + b"0\r\n\r\n"), [POST], OPEN, "RFC 9112 7.1"),
    Row("a size in capitals with zeros", lambda p: p.chunked(p.chunk(b"0000%X") + b"0\r\n\r\n"), [POST], OPEN, "RFC 9112 7.1"),
    Row("several zeros at the end", lambda p: p.chunked(p.chunk() + b"000\r\n\r\n"), [POST], OPEN, "RFC 9112 7.1: 1*(\"0\")"),
    Row("an extension", size_line(b"%x;a=b\r\n"), [POST], OPEN, "RFC 9112 7.1.1: ignored"),
    Row("a long extension", size_line(b"%x;" + b"a" * 300 + b"\r\n"), [400], CLOSED, "hostile 7: 256 bytes"),
    Row("an extension with a bare CR", size_line(b"%x;a\rb\r\n"), [400], CLOSED, "RFC 9112 2.2"),
    Row("an extension with a bare LF", size_line(b"%x;a\n"), [400], CLOSED, "RFC 9112 7.1"),
    Row("an extension with a NUL", size_line(b"%x;a\0b\r\n"), [400], CLOSED, "RFC 9110 5.5"),
    Row("a size with 0x", size_line(b"0x%x\r\n"), [400], CLOSED, "RFC 9112 7.1"),
    Row("a signed size", size_line(b"+%x\r\n"), [400], CLOSED, "RFC 9112 7.1"),
    Row("a negative size", size_line(b"-1\r\n"), [400], CLOSED, "RFC 9112 7.1"),
    Row("a size with an underscore", size_line(b"1_0\r\n"), [400], CLOSED, "RFC 9112 7.1"),
    Row("a space before the size", size_line(b" %x\r\n"), [400], CLOSED, "RFC 9112 7.1"),
    Row("a space behind the size", size_line(b"%x \r\n"), [400], CLOSED, "RFC 9112 7.1"),
    Row("no size", size_line(b"\r\n"), [400], CLOSED, "RFC 9112 7.1"),
    Row("only an extension", size_line(b";a=b\r\n"), [400], CLOSED, "RFC 9112 7.1"),
    Row("a word for a size", size_line(b"xyz\r\n"), [400], CLOSED, "RFC 9112 7.1"),
    Row("a size too large for a number", size_line(b"FFFFFFFFFFFFFFFFF\r\n"), [400], CLOSED, "hostile 7"),
    Row("a size of 2^64 + 5", size_line(b"10000000000000005\r\n"), [400], CLOSED, "hostile 7"),
    Row("a size beyond the limit", size_line(b"7fffffff\r\n"), [413], CLOSED, "hostile 10: on crossing the limit"),
    Row("a size that ends in a bare LF", size_line(b"%x\n"), [400], CLOSED, "RFC 9112 7.1"),
    Row("a size that ends in a bare CR", size_line(b"%x\r"), [400], CLOSED, "RFC 9112 7.1"),
    Row("a chunk longer than its size", lambda p: p.chunked(b"1\r\n" + p.body + b"\r\n0\r\n\r\n"), [400], CLOSED, "RFC 9112 7.1"),
    Row("a chunk that ends in a bare LF", lambda p: p.chunked(p.chunk()[:-2] + b"\n0\r\n\r\n"), [400], CLOSED, "RFC 9112 7.1"),
    Row("no line end behind a chunk", lambda p: p.chunked(p.chunk()[:-2] + b"0\r\n\r\n"), [400], CLOSED, "RFC 9112 7.1"),
    Row("a bare LF at the very end", lambda p: p.chunked(p.chunk() + b"0\r\n\n"), [400], CLOSED, "RFC 9112 7.1"),
    Row("no last chunk, then the end", lambda p: p.chunked(p.chunk()), [], CLOSED, "RFC 9112 8: incomplete"),
    Row("no last line end, then the end", lambda p: p.chunked(p.chunk() + b"0\r\n"), [], CLOSED, "RFC 9112 8: incomplete"),
    Row("a trailer", lambda p: p.chunked(p.chunk() + b"0\r\nX-Sum: 5\r\n\r\n"), [POST], OPEN, "RFC 9112 7.1.2: ignored"),
    Row("a length as trailer", lambda p: p.chunked(p.chunk() + b"0\r\nContent-Length: 5\r\n\r\n"), [400], CLOSED, "RFC 9110 6.5.1"),
    Row("a coding as trailer", lambda p: p.chunked(p.chunk() + b"0\r\nTransfer-Encoding: chunked\r\n\r\n"), [400], CLOSED, "RFC 9110 6.5.1"),
    Row("a host as trailer", lambda p: p.chunked(p.chunk() + b"0\r\nHost: x\r\n\r\n"), [400], CLOSED, "RFC 9110 6.5.1"),
    Row("a key as trailer", lambda p: p.chunked(p.chunk() + b"0\r\nAuthorization: Bearer x\r\n\r\n"), [400], CLOSED, "RFC 9110 6.5.1"),
    Row("a trailer that is no field", lambda p: p.chunked(p.chunk() + b"0\r\nnothing\r\n\r\n"), [400], CLOSED, "RFC 9112 7.1.2"),
    Row("a trailer with a space before its colon", lambda p: p.chunked(p.chunk() + b"0\r\nX : 1\r\n\r\n"), [400], CLOSED, "RFC 9112 5.1"),
    Row("a folded trailer", lambda p: p.chunked(p.chunk() + b"0\r\nX: 1\r\n 2\r\n\r\n"), [400], CLOSED, "RFC 9112 5.2"),
    Row("trailers without end", lambda p: p.chunked(p.chunk() + b"0\r\n" + b"X: 1\r\n" * 5000), [431], CLOSED, "hostile 4"),

    # ---- lines and fields
    Row("bare line feeds", lambda p: p.get().replace(b"\r\n", b"\n"), [400], CLOSED, "RFC 9112 2.2: may be taken, is not"),
    Row("one bare line feed", lambda p: p.sized(b"X: 1\nY: 2"), [400], CLOSED, "RFC 9112 2.2"),
    Row("a bare CR in a field", field(b"X: 1\rY: 2"), [400], CLOSED, "RFC 9112 2.2"),
    Row("a bare CR at the end of the head", lambda p: b"GET %s HTTP/1.1\r\nHost: x\r\r\n\r\n" % p.get_target, [400], CLOSED, "RFC 9112 2.2"),
    Row("a bare CR in the request line", request_line(b"POST\rTARGET HTTP/1.1"), [400], CLOSED, "RFC 9112 2.2"),
    Row("a folded field", field(b"X: 1\r\n 2"), [400], CLOSED, "RFC 9112 5.2"),
    Row("a field folded with a tab", field(b"X: 1\r\n\t2"), [400], CLOSED, "RFC 9112 5.2"),
    Row("white space before the first field", lambda p: b"GET %s HTTP/1.1\r\n Host: x\r\n\r\n" % p.get_target, [400], CLOSED, "RFC 9112 2.2"),
    Row("a space before a colon", field(b"X : 1"), [400], CLOSED, "RFC 9112 5.1"),
    Row("a tab before a colon", field(b"X\t: 1"), [400], CLOSED, "RFC 9112 5.1"),
    Row("a space in a name", field(b"X Y: 1"), [400], CLOSED, "RFC 9110 5.1"),
    Row("a field without a colon", field(b"nothing"), [400], CLOSED, "RFC 9112 5"),
    Row("a field without a name", field(b": 1"), [400], CLOSED, "RFC 9110 5.1"),
    Row("a name that is no token", field(b"X(Y): 1"), [400], CLOSED, "RFC 9110 5.6.2"),
    Row("a name that is not ASCII", field(b"X\xc3\xa9: 1"), [400], CLOSED, "RFC 9110 5.6.2"),
    Row("a NUL in a name", field(b"X\0: 1"), [400], CLOSED, "RFC 9110 5.6.2"),
    Row("a NUL in a value", field(b"X: 1\0"), [400], CLOSED, "RFC 9110 5.5"),
    Row("an escape in a value", field(b"X: \x1b[31m"), [400], CLOSED, "RFC 9110 5.5"),
    Row("DEL in a value", field(b"X: \x7f"), [400], CLOSED, "RFC 9110 5.5"),
    Row("a value that is not ASCII", field(b"X: caf\xc3\xa9"), [POST], OPEN, "RFC 9110 5.5: obs-text"),
    Row("an empty value", field(b"X:"), [POST], OPEN, "RFC 9110 5.5"),
    Row("white space around a value", field(b"X: \t 1 \t "), [POST], OPEN, "RFC 9110 5.5"),
    Row("a field in any case", lambda p: p.request(b"cOnTeNt-lEnGtH: %d" % len(p.body), body=p.body), [POST], OPEN, "RFC 9110 5.1"),
    Row("a hundred fields too many", lambda p: p.get(*[b"X-%d: 1" % n for n in range(200)]), [431], CLOSED, "hostile 4, RFC 6585 5"),
    Row("a field of 1 MiB", lambda p: p.get(b"X: " + b"a" * 1048576), [431], CLOSED, "hostile 4, RFC 6585 5"),
    Row("a name of 1 MiB", lambda p: p.get(b"X" * 1048576 + b": 1"), [431], CLOSED, "hostile 4, RFC 6585 5"),

    # ---- the request line
    Row("an address of 64 KiB", lambda p: p.get(target=b"/" + b"a" * 65536), [414], CLOSED, "hostile 4, RFC 9110 15.5.15"),
    Row("a method of 64 KiB", lambda p: p.get(method=b"G" * 65536), Either(400, 414, 501), CLOSED, "RFC 9112 3"),
    Row("an unknown method", lambda p: p.get(*p.headers, method=b"BREW", target=p.post_target), [405], OPEN, "RFC 9110 9.1, 15.5.6"),
    Row("a method in small letters", lambda p: p.get(*p.headers, method=b"post", target=p.post_target), [405], OPEN, "RFC 9110 9.1: case matters"),
    Row("a method that is no token", lambda p: p.get(method=b"G(T"), [400], CLOSED, "RFC 9110 9.1"),
    Row("no method", lambda p: p.get(method=b""), [400], CLOSED, "RFC 9112 3"),
    Row("no address", lambda p: b"GET HTTP/1.1\r\nHost: x\r\n\r\n", [400], CLOSED, "RFC 9112 3"),
    Row("no version", lambda p: b"GET %s\r\nHost: x\r\n\r\n" % p.get_target, [400], CLOSED, "RFC 9112 3: HTTP/0.9"),
    Row("two spaces", request_line(b"POST  TARGET HTTP/1.1"), [400], CLOSED, "RFC 9112 3"),
    Row("a tab for a space", request_line(b"POST\tTARGET HTTP/1.1"), [400], CLOSED, "RFC 9112 3"),
    Row("a space at the end", request_line(b"POST TARGET HTTP/1.1 "), [400], CLOSED, "RFC 9112 3"),
    Row("a space in the address", request_line(b"POST TARGET a HTTP/1.1"), [400], CLOSED, "RFC 9112 3"),
    Row("a fragment", lambda p: p.get(target=p.get_target + b"#a"), [400], CLOSED, "RFC 9112 3.2"),
    Row("an address that is not ASCII", lambda p: p.get(target=b"/caf\xc3\xa9"), [400], CLOSED, "RFC 9112 3.2"),
    Row("a NUL in the address", lambda p: p.get(target=b"/a\0b"), [400], CLOSED, "RFC 9112 3.2"),
    Row("an address without a slash", lambda p: p.get(target=b"livez"), [400], CLOSED, "RFC 9112 3.2"),
    Row("an address above the root", lambda p: p.get(target=b"/%2e%2e/%2e%2e/etc/passwd"), Either(400, 404, 405), OPEN, "hostile: path traversal"),
    Row("HTTP/1.2", lambda p: p.get(version=b"HTTP/1.2"), [505], CLOSED, "RFC 9110 15.6.6: only what is spoken here"),
    Row("HTTP/2.0", lambda p: p.get(version=b"HTTP/2.0"), [505], CLOSED, "RFC 9110 15.6.6"),
    Row("HTTP/0.9", lambda p: p.get(version=b"HTTP/0.9"), Either(400, 505), CLOSED, "RFC 9110 15.6.6"),
    Row("http/1.1", lambda p: p.get(version=b"http/1.1"), [400], CLOSED, "RFC 9112 2.3: case matters"),
    Row("HTTP/1.10", lambda p: p.get(version=b"HTTP/1.10"), [400], CLOSED, "RFC 9112 2.3: one digit"),
    Row("HTTP/01.1", lambda p: p.get(version=b"HTTP/01.1"), [400], CLOSED, "RFC 9112 2.3"),
    Row("HTTP/1.", lambda p: p.get(version=b"HTTP/1."), [400], CLOSED, "RFC 9112 2.3"),
    Row("HTTPS/1.1", lambda p: p.get(version=b"HTTPS/1.1"), [400], CLOSED, "RFC 9112 2.3"),
    Row("the preface of HTTP/2", lambda p: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [505], CLOSED, "RFC 9113 3.4"),
    Row("TLS", lambda p: b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"a" * 500, [400], CLOSED, "RFC 9112 3"),
    Row("one empty line before", lambda p: b"\r\n" + p.get(), [GET], OPEN, "RFC 9112 2.2: at least one is ignored"),
    Row("white space before", lambda p: b" " + p.get(), [400], CLOSED, "RFC 9112 3"),
    Row("nothing but an end", lambda p: b"", [], CLOSED, "RFC 9112 9.5"),
    Row("half a request line, then the end", lambda p: b"GET / HT", [], CLOSED, "RFC 9112 8"),
    Row("half a head, then the end", lambda p: p.get()[:-2], [], CLOSED, "RFC 9112 8"),

    # ---- Host
    Row("no host", host(None), [400], CLOSED, "RFC 9112 3.2"),
    Row("two hosts", lambda p: p.get(b"Host: 127.0.0.1"), [400], CLOSED, "RFC 9112 3.2"),
    Row("two hosts that differ", lambda p: p.get(b"Host: other"), [400], CLOSED, "RFC 9112 3.2"),
    Row("an empty host", host(b"Host:"), [400], CLOSED, "RFC 9112 3.2: no authority here"),
    Row("a host with a user", host(b"Host: a@127.0.0.1"), [400], CLOSED, "RFC 9110 7.2"),
    Row("a host with a path", host(b"Host: 127.0.0.1/a"), [400], CLOSED, "RFC 9110 7.2"),
    Row("a list of hosts", host(b"Host: 127.0.0.1, other"), [400], CLOSED, "RFC 9110 7.2"),
    Row("a host with a space", host(b"Host: 127.0.0.1 other"), [400], CLOSED, "RFC 9110 7.2"),
    Row("a port that is no number", host(b"Host: 127.0.0.1:http"), [400], CLOSED, "RFC 9110 7.2"),
    Row("a host with a port", host(b"Host: 127.0.0.1:80"), [GET], OPEN, "RFC 9110 7.2"),
    Row("no host in HTTP/1.0", lambda p: p.get(host=None, version=b"HTTP/1.0"), Either(GET, 403), CLOSED, "RFC 9112 3.2"),
    Row("the absolute form", lambda p: p.get(target=b"http://127.0.0.1" + p.get_target), [GET], OPEN, "RFC 9112 3.2.2"),
    Row("the absolute form of another host", lambda p: p.get(target=b"http://other" + p.get_target), [400], CLOSED, "RFC 9112 3.2.2, hostile 9"),
    Row("the absolute form with a user", lambda p: p.get(target=b"http://a@127.0.0.1" + p.get_target), [400], CLOSED, "RFC 9110 4.2.4"),
    Row("the absolute form of another scheme", lambda p: p.get(target=b"file:///etc/passwd"), [400], CLOSED, "RFC 9112 3.2.2"),
    Row("an asterisk", lambda p: p.get(target=b"*"), [400], CLOSED, "RFC 9112 3.2.4: OPTIONS only"),
    Row("a tunnel", lambda p: b"CONNECT other:443 HTTP/1.1\r\nHost: other:443\r\n\r\n", [501], CLOSED, "RFC 9110 9.3.6"),

    # ---- Expect, Connection, Upgrade
    Row("100-continue", lambda p: p.sized(b"Expect: 100-continue"), Either([100, POST], POST), OPEN, "RFC 9110 10.1.1: may be left out when the body is there"),
    Row("100-continue in any case", lambda p: p.sized(b"Expect: 100-Continue"), Either([100, POST], POST), OPEN, "RFC 9110 10.1.1"),
    Row("100-continue in HTTP/1.0", lambda p: p.sized(b"Expect: 100-continue", line=b"POST %s HTTP/1.0" % p.post_target), [POST], CLOSED, "RFC 9110 10.1.1"),
    Row("100-continue without a body", lambda p: p.get(b"Expect: 100-continue"), [GET], OPEN, "RFC 9110 10.1.1"),
    Row("100-continue beyond the limit", lambda p: p.request(b"Content-Length: 100000000", b"Expect: 100-continue"), [413], CLOSED, "hostile 10: no 100"),
    Row("another expectation", lambda p: p.sized(b"Expect: 200-ok"), [417], CLOSED, "RFC 9110 10.1.1"),
    Row("an upgrade", lambda p: p.get(b"Connection: Upgrade", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABkAAQAAP__"), [GET], OPEN, "RFC 9110 7.8: ignored"),
    Row("close", lambda p: p.get(b"Connection: close") + p.get(), [GET], CLOSED, "RFC 9112 9.6"),
    Row("close among others", lambda p: p.get(b"Connection: x, Close") + p.get(), [GET], CLOSED, "RFC 9112 9.6"),
    Row("HTTP/1.0", lambda p: p.get(version=b"HTTP/1.0") + p.get(), [GET], CLOSED, "RFC 9112 9.3"),
    Row("keep-alive in HTTP/1.0", lambda p: p.get(b"Connection: keep-alive", version=b"HTTP/1.0"), [GET], OPEN, "RFC 9112 9.3"),

    # ---- one behind the other
    Row("five at once", lambda p: p.get() * 5, [GET] * 5, OPEN, "RFC 9112 9.3.2"),
    Row("a hundred at once", lambda p: p.get() * 100, [GET] * 100, OPEN, "RFC 9112 9.3.2, hostile 8"),
    Row("with bodies", lambda p: (p.sized() + p.chunked(p.chunk() + b"0\r\n\r\n")) * 2, [POST] * 4, OPEN, "RFC 9112 9.3.2"),
    Row("a bad one in the middle", lambda p: p.get() * 2 + p.get(b"X : 1") + p.sized() * 3, [GET, GET, 400], CLOSED, "hostile 8: nothing behind it runs"),
    Row("a second that ends early", lambda p: p.get() + p.get()[:-9], [GET], CLOSED, "RFC 9112 8"),
]


class Answers:
    """What comes back on one connection."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port.number), timeout=10)
        self.buffer, self.ended = b"", False

    def send(self, data, finish=False):
        with contextlib.suppress(ConnectionError):
            self.socket.sendall(data)
            if finish:
                self.socket.shutdown(socket.SHUT_WR)

    def more(self):
        try:
            part = self.socket.recv(262144)
        except ConnectionError:
            part = b""
        self.ended = not part
        self.buffer += part
        return bool(part)

    def next(self, method=b"GET"):
        """(status, head) of the next answer, or nothing where the connection ends first."""
        while b"\r\n\r\n" not in self.buffer:
            if not self.more():
                assert not self.buffer, f"the connection ended in the middle of an answer: {self.buffer[:200]}"
                return None
        head, rest = self.buffer.split(b"\r\n\r\n", 1)
        status = int(re.fullmatch(rb"HTTP/1\.1 (\d{3}) [^\r\n]*", head.split(b"\r\n")[0])[1])
        size = re.search(rb"(?i)\r\ncontent-length: (\d+)(\r|$)", head)
        without_body = status < 200 or status in (204, 304) or method == b"HEAD"
        assert without_body or size, f"no Content-Length: {head}"
        wanted = 0 if without_body else int(size[1])
        while len(rest) < wanted and self.more():
            rest = self.buffer.split(b"\r\n\r\n", 1)[1]
        assert len(rest) >= wanted, "the connection ended in the middle of a body"
        self.buffer = rest[wanted:]
        return status, head

    def statuses(self):
        """All that come until the server ends the connection."""
        found = []
        while answer := self.next():
            found.append(answer[0])
        return found

    def close(self):
        self.socket.close()


def ports_of(f):
    def number(url):
        return int(url.rsplit(":", 1)[1])

    aws = (b"Content-Type: application/x-amz-json-1.0", b"X-Amz-Target: AmazonSQS.ListQueues")
    return [Port("intake", number(f.intake), b"/v1/lead", b"/livez", (b"Content-Type: application/json",), b'{"email":"jane@example.com"}'),
            Port("admin", number(f.admin), b"/api/queues", b"/api/queues", (b"Content-Type: application/json",), b'{"x":1}'),
            Port("sqs", number(f.sqs), b"/", b"/?Action=ListQueues&Version=2012-11-05", aws, b"{}")]


def ask(port, data):
    answers = Answers(port)
    answers.send(data)
    status = answers.next()[0]
    answers.close()
    return status


def run(port, row):
    """What is wrong with what this port does with the row, or nothing."""
    wanted = [[port.statuses.get(status, status) for status in statuses] for statuses in row.outcomes()]
    answers = Answers(port)
    try:
        if row.then == OPEN:
            # What follows on the same connection is answered too: the ends of all messages were found where they are.
            answers.send(row.data(port) + port.get(b"Connection: close"))
            wanted = [[*statuses, port.statuses[GET]] for statuses in wanted]
        else:
            answers.send(row.data(port), finish=row.ends())
        found = answers.statuses()
    except (AssertionError, TimeoutError, TypeError) as why:
        return f"{port.name}: {row.name} ({row.rule}): {why!r}"
    finally:
        answers.close()
    return None if found in wanted else f"{port.name}: {row.name} ({row.rule}): {found}, not {' or '.join(map(str, wanted))}"


@pytest.fixture
def served(forebay):
    f = forebay(LEADS)
    ports = ports_of(f)
    for port in ports:
        port.statuses = {POST: ask(port, port.sized()), GET: ask(port, port.get())}
    assert [port.statuses[POST] // 100 for port in ports] in ([2, 4, 2], [2, 2, 2]), ports
    assert all(port.statuses[GET] == 200 for port in ports), ports
    return f, ports


def accepted(f):
    queues = requests.get(f.admin + "/api/queues", timeout=10).json()["queues"]
    return next(q["ready"] for q in queues if q["name"] == "leads")


def test_every_row_holds_on_every_port(served):
    f, ports = served
    before = accepted(f)
    wrong = [what for port in ports for row in ROWS if (what := run(port, row))]
    assert not wrong, f"{len(wrong)} of {len(ports) * len(ROWS)}:\n" + "\n".join(wrong)
    posts = sum(row.outcomes()[0].count(POST) for row in ROWS)
    assert accepted(f) - before == posts, "what was answered with a refusal is kept, or what was accepted is not"
    f.wait_ready()


def test_one_byte_at_a_time_is_the_same_request(served):
    _, ports = served
    for port in ports:
        answers = Answers(port)
        answers.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in port.chunked(port.chunk() + b"0\r\n\r\n") + port.get(b"Connection: close"):
            answers.send(bytes([byte]))
        assert answers.statuses() == [port.statuses[POST], 200], port.name
        answers.close()


def test_a_head_has_no_body_and_the_rest_of_an_answer(served):
    _, ports = served
    for port in ports:
        answers = Answers(port)
        answers.send(port.get(method=b"HEAD") + port.get(b"Connection: close"))
        status, head = answers.next(b"HEAD")
        assert status in (200, 405), (port.name, status)
        assert answers.next()[0] == 200, port.name
        answers.close()


def test_every_answer_says_when_and_a_wrong_method_what_is_right(served):
    _, ports = served
    for port in ports:
        answers = Answers(port)
        answers.send(port.get() + port.get(b"Connection: close", method=b"BREW"))
        for status, head in (answers.next(), answers.next()):
            assert re.search(rb"(?i)\r\ndate: [A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT", head), (port.name, head)
            assert status != 405 or re.search(rb"(?i)\r\nallow: [A-Z, ]+", head), (port.name, head)
        answers.close()


def test_a_client_that_waits_is_told_to_go_on(served):
    _, ports = served
    for port in ports:
        answers = Answers(port)
        answers.send(port.request(b"Content-Length: %d" % len(port.body), b"Expect: 100-continue"))
        status = answers.next()[0]
        if status == 100:
            answers.send(port.body)
            assert answers.next()[0] == port.statuses[POST], port.name
        else:
            assert port.name == "admin" and status == 405
        answers.close()


def test_those_who_are_slow_on_purpose_are_sent_away(served):
    """Slow heads and slow bodies, all at once: their deadlines are 10 s, and 5 s of grace for 1 KiB/s."""
    f, ports = served
    before = accepted(f)
    drips = []
    for port in ports:
        drips.append((port, Answers(port), port.get(b"X: " + b"a" * 100), b"", "head"))
        drips.append((port, Answers(port), b"a" * 100, port.request(b"Content-Length: 5000"), "body"))
        drips.append((port, Answers(port), b"1\r\na\r\n" * 20, port.chunked(b""), "chunks"))
    begin = time.monotonic()
    for _, answers, _, first, _ in drips:
        answers.send(first)
    for n in range(16):
        for _, answers, slowly, _, _ in drips:
            answers.send(slowly[n:n + 1])
        time.sleep(max(0, begin + n + 1 - time.monotonic()))
    for port, answers, _, _, what in drips:
        found = answers.statuses()
        answers.close()
        assert found == [408] or (port.name == "admin" and what != "head" and found == [405]), (port.name, what, found)
    assert accepted(f) == before
    f.wait_ready()
