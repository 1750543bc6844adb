"""The built site, served as a host would: compressed, cached, with its own page for 404.

It counts what it sends, so that a page's weight is measured and not guessed.
"""

import gzip
import mimetypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

COMPRESSED = {".html", ".css", ".js", ".json", ".svg", ".xml"}
MINUTES = 10  # what GitHub Pages lets a browser keep a file for


@dataclass
class Server:
    """A served folder: its address, and the bytes sent for each path since `sent` was cleared."""

    address: str
    sent: dict[str, int] = field(default_factory=dict)

    def weight(self) -> int:
        return sum(self.sent.values())


@contextmanager
def serve(folder: Path) -> Iterator[Server]:
    """Serve a folder on a free port of this machine."""
    bodies: dict[Path, bytes] = {}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = unquote(urlsplit(self.path).path)
            file = folder / path.lstrip("/")
            file = file / "index.html" if file.is_dir() else file
            found = file.is_file()
            file = file if found else folder / "404.html"
            compress = file.suffix in COMPRESSED
            if file not in bodies:
                content = file.read_bytes()
                bodies[file] = gzip.compress(content, mtime=0) if compress else content
            body = bodies[file]
            server.sent[path] = server.sent.get(path, 0) + len(body)
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", _content_type(file))
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", f"max-age={60 * MINUTES}")
            if compress:
                self.send_header("Content-Encoding", "gzip")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        server = Server(f"http://127.0.0.1:{listening.server_address[1]}/")
        thread = threading.Thread(target=listening.serve_forever, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            listening.shutdown()
            thread.join()


def _content_type(file: Path) -> str:
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    return f"{kind}; charset=utf-8" if file.suffix in COMPRESSED else kind
