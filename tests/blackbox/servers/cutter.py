"""A TCP relay before a database that takes an answer away: it passes COMMIT on, waits for the answer, and then cuts both ends
instead of handing it over. So the client cannot know whether its commit happened."""
import contextlib
import select
import socket
import threading

from servers import ports


class Cutter:
    def __init__(self, to):
        self.to = to
        self.port, = ports.reserve(1)
        self.cuts_left = 0
        self.cuts = 0
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self.serve, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                threading.Thread(target=self.relay, args=(client,), daemon=True).start()

    def takes_this(self, sent):
        with self.lock:
            if b"COMMIT" not in sent or self.cuts_left == 0:
                return False
            self.cuts_left -= 1
            self.cuts += 1
            return True

    def relay(self, client):
        with contextlib.suppress(OSError), client, socket.create_connection(("127.0.0.1", self.to)) as server:
            while True:
                for ready in select.select([client, server], [], [])[0]:
                    data = ready.recv(65536)
                    if not data:
                        return
                    if ready is server:
                        client.sendall(data)
                        continue
                    is_taken = self.takes_this(data)
                    server.sendall(data)
                    if is_taken:
                        server.recv(65536)
                        return
