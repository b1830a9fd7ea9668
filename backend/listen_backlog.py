"""Closes a listening socket without resetting a connection (Linux).

A client can complete a handshake, and send a request, between the last `accept` and the end of listening; the kernel
then resets that connection. So the end of listening follows the last `accept` at once. Closing a hundred listeners one
by one would take milliseconds, and longer where the CPU is rationed.

Where the kernel allows it, a socket filter first drops the first packet of every new handshake. The kernel completes
the handshakes under way and begins no other, so the backlog, once emptied, stays empty. A client that connects in this
moment gets no reply, repeats its SYN after a second, and is then refused.
"""

import ctypes
import socket
import struct
import sys
from contextlib import suppress

SO_ATTACH_FILTER = 26  # <asm-generic/socket.h>; Python has no name for it

TCP_FLAGS_OFFSET = 13  # in the TCP header, where the filter of a socket begins to read
SYN, ACK = 0x02, 0x10
LOAD_BYTE, AND, JUMP_IF_EQUAL, RETURN = 0x30, 0x54, 0x15, 0x06  # <linux/bpf_common.h>
WHOLE_PACKET, NOTHING = 0xFFFFFFFF, 0

# operation code, instructions to skip if true, instructions to skip if false, operand
DROP_FIRST_PACKET_OF_HANDSHAKE = (
    (LOAD_BYTE, 0, 0, TCP_FLAGS_OFFSET),
    (AND, 0, 0, SYN | ACK),
    (JUMP_IF_EQUAL, 0, 1, SYN),
    (RETURN, 0, 0, NOTHING),
    (RETURN, 0, 0, WHOLE_PACKET),
)


def close_and_drain(listener: socket.socket) -> list[socket.socket]:
    """Stop listening, on Linux also on every duplicate, and return the connections that waited in the backlog."""
    accepted: list[socket.socket] = []
    with listener.dup() as duplicate:
        duplicate.settimeout(0)
        drop_new_handshakes(duplicate)
        try:
            while True:
                accepted.append(duplicate.accept()[0])
        except BlockingIOError:
            with suppress(OSError):  # other systems than Linux listen until every duplicate is closed
                duplicate.shutdown(socket.SHUT_RD)
    return accepted


def drop_new_handshakes(listener: socket.socket) -> None:
    """Let the kernel drop the first packet of every new handshake with this listener.

    This does nothing on other systems than Linux, nor in a container that may not attach a filter. There remains the
    moment between the last `accept` and the end of listening: some microseconds.
    """
    if sys.platform != "linux":
        return
    instructions = b"".join(struct.pack("HBBI", *each) for each in DROP_FIRST_PACKET_OF_HANDSHAKE)
    memory = ctypes.create_string_buffer(instructions)  # the kernel copies the instructions from this address
    program = struct.pack("HP", len(DROP_FIRST_PACKET_OF_HANDSHAKE), ctypes.addressof(memory))
    with suppress(PermissionError):
        listener.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)
