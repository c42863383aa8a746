"""safetensors' functions with swzip between: what is saved was packed and unpacked again, what is loaded was packed
before."""

import tempfile

import safetensors

import swzip
import swzip.numpy
import swzip.torch

PrefetchLoader = swzip.PrefetchLoader
SafetensorError = (swzip.SwzipError, safetensors.SafetensorError)


class safe_open(swzip.safe_open):
    def __init__(self, filename, framework, device="cpu", *, backend="mmap"):
        with tempfile.NamedTemporaryFile(suffix=".swz") as container:
            super().__init__(swzip.pack(filename, container.name), framework, device, backend=backend)


class Functions:
    """The names of safetensors.numpy, or of safetensors.torch."""

    def __init__(self, module):
        self.module = module

    def save(self, tensors, metadata=None):
        return swzip.decompress(self.module.save(tensors, metadata))

    def load(self, data):
        return self.module.load(swzip.compress(data))

    def save_file(self, tensors, filename, metadata=None):
        with tempfile.NamedTemporaryFile(suffix=".swz") as container:
            self.module.save_file(tensors, container.name, metadata)
            swzip.unpack(container.name, filename)

    def load_file(self, filename, *arguments, **options):
        with tempfile.NamedTemporaryFile(suffix=".swz") as container:
            return self.module.load_file(swzip.pack(filename, container.name), *arguments, **options)

    def save_model(self, model, filename, *arguments, **options):
        with tempfile.NamedTemporaryFile(suffix=".swz") as container:
            self.module.save_model(model, container.name, *arguments, **options)
            swzip.unpack(container.name, filename)

    def load_model(self, model, filename, *arguments, **options):
        with tempfile.NamedTemporaryFile(suffix=".swz") as container:
            return self.module.load_model(model, swzip.pack(filename, container.name), *arguments, **options)


numpy, torch = Functions(swzip.numpy), Functions(swzip.torch)
