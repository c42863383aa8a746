"""Rivals that are made for weights, on whole model files."""
from coders.base import Archive, Coder, safetensors_header


class LmzArchive(Archive):
    def encode(self):
        import lmz
        lmz.compress(str(self.path), str(self.packed), workers=1)

    def decode(self):
        import lmz
        lmz.decompress(str(self.packed), str(self.unpacked), workers=1)

    def content(self, decoded):
        return self.unpacked.read_bytes()


class BigSmall(Archive):
    """bigsmall gives back tensors, not the file: their bytes are put in their places under the file's own header."""

    def encode(self):
        import bigsmall
        bigsmall.compress(self.path, self.packed, workers=1, progress=False)

    def decode(self):
        import bigsmall
        return bigsmall.decompress(self.packed, progress=False)

    def content(self, decoded):
        end, entries = safetensors_header(self.data)
        result = bytearray(len(self.data))
        result[:end] = self.data[:end]
        for name, entry in entries.items():
            start, stop = entry["data_offsets"]
            result[end + start:end + stop] = decoded[name].tobytes()
        return bytes(result)


class Z4aiArchive(Coder):
    """z4ai's own container of a safetensors file, tensor by tensor."""

    def encode(self):
        from z4ai import safetensors
        self.frame = safetensors.compress_bytes(self.data, threads=1, workers=1)

    def decode(self):
        from z4ai import safetensors
        return safetensors.decompress_bytes(self.frame, workers=1)
