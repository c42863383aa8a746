"""Threads, forks, signals."""

import os
import signal
import subprocess
import sys
import threading
import time
import unittest
from concurrent.futures import ThreadPoolExecutor

import numpy

import swzip
import swzip.numpy
from samples import FolderTest, child_environment


class ThreadTest(FolderTest):
    def setUp(self):
        super().setUp()
        self.arrays = {f"t{number}": self.weights(200, 100 + number) for number in range(30)}
        self.path = self.folder / "threads.swz"
        swzip.numpy.save_file(self.arrays, self.path)

    def test_threads_share_a_container(self):
        with swzip.safe_open(self.path, "np") as f, ThreadPoolExecutor(6) as pool:
            names = list(self.arrays) * 6
            for name, array in zip(names, pool.map(f.get_tensor, names)):
                self.assertTrue(numpy.array_equal(array, self.arrays[name]))

    def test_closing_while_others_read(self):
        def read(container):
            try:
                for _ in range(50):
                    container.read(0, 0, bytearray(1_000_000))
            except swzip.SwzipError as error:
                return str(error)

        container = swzip.Container(self.path)
        with ThreadPoolExecutor(3) as pool:
            readers = [pool.submit(read, container) for _ in range(3)]
            time.sleep(0.02)
            container.close()
            for reader in readers:
                self.assertIn(reader.result(), (None, f"{self.path}: is closed"))

    def test_a_fork_reads_on(self):
        with swzip.safe_open(self.path, "np") as f:
            f.get_tensor("t0")
            busy = threading.Thread(target=lambda: [f.get_tensor(name) for name in self.arrays])
            busy.start()
            child = os.fork()
            if child == 0:
                same = all(numpy.array_equal(f.get_tensor(name), array) for name, array in self.arrays.items())
                os._exit(0 if same else 1)
            busy.join()
            self.assertEqual(os.waitpid(child, 0)[1], 0)
            self.assertTrue(numpy.array_equal(f.get_tensor("t1"), self.arrays["t1"]))

    def test_the_lock_of_python_is_free_meanwhile(self):
        data, counted = self.random.integers(0, 256, 32 << 20, "uint8"), [0, 0]
        packing = threading.Thread(target=swzip.compress, args=(data,), kwargs={"level": 9})
        packing.start()
        while packing.is_alive():
            counted[0] += 1
        self.assertGreater(counted[0], 10_000)


class Late(Exception):
    pass


class InterruptTest(FolderTest):
    CODE = """if True:
        import sys, swzip
        def progress(done):
            print(done, flush=True)
        try:
            swzip.pack(sys.argv[1], level=9, threads=1, progress=progress if sys.argv[2] == "shown" else None)
        except KeyboardInterrupt:
            sys.exit(42)
        """

    def interrupted(self, shown, delay):
        """Interrupts a child that packs what takes a minute; its exit code."""
        path = self.folder / "large"
        path.write_bytes(self.random.integers(0, 30, 100 << 20, "uint8").tobytes())
        child = subprocess.Popen([sys.executable, "-c", self.CODE, path, shown], env=child_environment(),
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(child.stdout.close)
        self.addCleanup(child.stderr.close)
        if shown == "shown":
            child.stdout.readline()
        time.sleep(delay)
        self.assertIsNone(child.poll())
        child.send_signal(signal.SIGINT)
        errors = child.communicate(timeout=30)[1]
        self.assertEqual(os.listdir(self.folder), ["large"])
        self.assertEqual(errors, b"")
        return child.returncode

    def test_an_interrupt_ends_packing(self):
        self.assertEqual(self.interrupted("shown", 0.3), 42)

    def test_without_a_progress_function(self):
        self.assertEqual(self.interrupted("", 2), 42)

    def raise_late(self):
        """Has an alarm raise Late."""
        def late(*_):
            raise Late

        before = signal.signal(signal.SIGALRM, late)
        self.addCleanup(signal.signal, signal.SIGALRM, before)
        self.addCleanup(signal.setitimer, signal.ITIMER_REAL, 0)

    def test_a_signal_at_any_moment_of_short_calls(self):
        self.raise_late()
        data = self.weights(300, 1000)
        path = self.packed(data.tobytes())
        for _ in range(60):
            # Once more later, since Python drops what is raised in a finalizer.
            signal.setitimer(signal.ITIMER_REAL, float(self.random.uniform(0.001, 0.03)), 5)
            with self.assertRaises(Late):
                while True:
                    swzip.open(path).read(10)
                    swzip.compress(data)
            signal.setitimer(signal.ITIMER_REAL, 0)
        self.assertEqual(swzip.open(path).read(), data.tobytes())

    def test_a_handler_that_raises_ends_a_call(self):
        self.raise_late()
        data = self.random.integers(0, 30, 100 << 20, "uint8")
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        with self.assertRaises(Late):
            swzip.compress(data, level=9, threads=1)


if __name__ == "__main__":
    unittest.main()
