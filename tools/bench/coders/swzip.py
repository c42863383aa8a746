"""swzip itself, by its C library."""
import functools

import numpy as np

from coders.base import Coder
from library import POLICIES, aligned


class Swzip(Coder):
    """swzip's C library: the container into one caller's buffer, the file into another."""

    def __init__(self, name, data, library, level, payload_offset):
        super().__init__(name, data)
        self.decoders = {policy: functools.partial(self.decode, policy) for policy in POLICIES}
        self.library, self.level = library, level
        self.source = np.frombuffer(data, np.uint8)
        self.container = aligned(library.bound(len(data)))
        self.target = aligned(len(data), payload_offset)

    def encode(self):
        self.frame = self.container[:self.library.pack(self.source, self.container, self.level)]

    def decode(self, policy):
        return self.target[:self.library.unpack(self.frame, self.target, policy)]

    def content(self, decoded):
        """The decoded bytes; the buffer is then spoilt, so that the next decode must write every one."""
        result = decoded.tobytes()
        self.target.fill(0xA5)
        return result
