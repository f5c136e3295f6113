"""A link that is slow, far and lossy, between a client and a server on loopback: a TCP proxy that paces bytes.

One rate for each direction, whatever connections share it. A piece that is lost arrives when it was sent again, and what follows
waits for it, as behind TCP. The receive buffer is small: what the link has not carried is not acknowledged to the sender.
"""
import asyncio
import random
import socket
import threading

PIECE_BYTES = 250


class Direction:
    """The time at which each piece leaves and arrives."""

    def __init__(self, bytes_a_second, delay, loss, seed):
        self.rate, self.delay, self.loss = bytes_a_second, delay, loss
        self.choice = random.Random(seed)
        self.free_at = 0.0

    async def carry(self, source, sink):
        loop = asyncio.get_running_loop()
        under_way = asyncio.Queue()
        delivering = asyncio.ensure_future(self.deliver(under_way, sink))
        arrives = 0.0
        try:
            while piece := await loop.sock_recv(source, PIECE_BYTES):
                self.free_at = max(self.free_at, loop.time()) + len(piece) / self.rate
                await asyncio.sleep(self.free_at - loop.time())
                again = 2 * self.delay if self.choice.random() < self.loss else 0
                arrives = max(arrives, self.free_at + self.delay + again)
                under_way.put_nowait((arrives, piece))
        except OSError:
            pass  # the end of a connection, however it came
        under_way.put_nowait((arrives, b""))
        await delivering

    @staticmethod
    async def deliver(under_way, sink):
        loop = asyncio.get_running_loop()
        try:
            while True:
                arrives, piece = await under_way.get()
                await asyncio.sleep(max(0.0, arrives - loop.time()))
                if not piece:
                    sink.shutdown(socket.SHUT_WR)
                    return
                await loop.sock_sendall(sink, piece)
        except OSError:
            pass


class SlowLink:
    """Listens on `port` of loopback, for a server on `to_port`."""

    def __init__(self, to_port, bytes_a_second, delay, loss, seed=0):
        self.to_port, self.settings = to_port, (bytes_a_second, delay, loss)
        self.seed = seed
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(16)
        self.listener.setblocking(False)
        self.port = self.listener.getsockname()[1]
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        asyncio.set_event_loop(self.loop)
        self.up, self.down = (Direction(*self.settings, self.seed + i) for i in range(2))
        self.accepting = self.loop.create_task(self.accept())
        self.loop.run_forever()
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.loop.run_until_complete(asyncio.sleep(0))
        self.loop.close()

    async def accept(self):
        while True:
            client, _ = await self.loop.sock_accept(self.listener)
            self.loop.create_task(self.connection(client))

    async def connection(self, client):
        with client, socket.socket() as server:
            client.setblocking(False)
            server.setblocking(False)
            await self.loop.sock_connect(server, ("127.0.0.1", self.to_port))
            await asyncio.gather(self.up.carry(client, server), self.down.carry(server, client))

    def stop(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.listener.close()
