"""How a listening socket is closed without resetting anybody (Linux).

Between the last `accept` and the end of listening a connection may still be made. Its client may have sent a request
by then, and the kernel resets it. So the one follows the other at once: a hundred listeners that are closed one by one
take milliseconds, and more where a CPU is rationed. And where that is allowed the listener is first made deaf to the
first packet of a handshake, by a filter in the kernel: handshakes under way are completed, no other one begins, and
once the queue has been emptied it stays empty. Who knocks in this moment hears nothing, knocks again after a second,
and is refused.
"""

import ctypes
import socket
import struct
import sys
from contextlib import suppress

SO_ATTACH_FILTER = 26  # <asm-generic/socket.h>; Python has no name for it

FLAGS_AT = 13  # of a TCP header, where a socket's filter begins to read
SYN, ACK = 0x02, 0x10
LOAD_BYTE, AND, JUMP_IF_EQUAL, RETURN = 0x30, 0x54, 0x15, 0x06  # <linux/bpf_common.h>
WHOLE_PACKET, NOTHING = 0xFFFFFFFF, 0

# code, how many to skip if true, if false, operand
DROP_FIRST_OF_HANDSHAKE = (
    (LOAD_BYTE, 0, 0, FLAGS_AT),
    (AND, 0, 0, SYN | ACK),
    (JUMP_IF_EQUAL, 0, 1, SYN),
    (RETURN, 0, 0, NOTHING),
    (RETURN, 0, 0, WHOLE_PACKET),
)


def last_admitted(listener: socket.socket) -> list[socket.socket]:
    """Every connection that waits in this listener, which does not listen any more then, nor any duplicate of it."""
    admitted: list[socket.socket] = []
    with listener.dup() as own:
        own.settimeout(0)
        admit_no_more(own)
        try:
            while True:
                admitted.append(own.accept()[0])
        except BlockingIOError:
            with suppress(OSError):  # elsewhere than on Linux it takes the closing of all duplicates
                own.shutdown(socket.SHUT_RD)
    return admitted


def admit_no_more(listener: socket.socket) -> None:
    """Let no handshake begin at this listener any more.

    Elsewhere than on Linux nothing happens, and neither where a container may not do that: what is left then is the
    moment between the last `accept` and the end of listening, some microseconds.
    """
    if sys.platform != "linux":
        return
    program = b"".join(struct.pack("HBBI", *instruction) for instruction in DROP_FIRST_OF_HANDSHAKE)
    memory = ctypes.create_string_buffer(program)  # the kernel copies what it finds there
    where = struct.pack("HP", len(DROP_FIRST_OF_HANDSHAKE), ctypes.addressof(memory))
    with suppress(PermissionError):
        listener.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, where)
