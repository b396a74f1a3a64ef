"""Threads that fetch.

Not `concurrent.futures.ThreadPoolExecutor`: at exit that one waits for its threads, so that Ctrl-C during a slow
download would hang until the download ends. These threads are daemons and own nothing that must be closed in order;
what they leave half done has a temporary name.

A *task* is done once, whoever does it: a worker, or the caller who cannot wait (`Task.result` runs a task that no
worker has begun). So demand overtakes speculation without a second queue, and a worker may ask for another task's
result without a deadlock.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class CancelledError(Exception):
    """The workers were closed before the task began."""


class Task(Generic[T]):
    """Something to be done once; its outcome is kept."""

    __slots__ = ("_callbacks", "_claimed", "_done", "_error", "_mutex", "_value", "_work")

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._mutex = threading.Lock()
        self._claimed = False
        self._done = threading.Event()
        self._value: T | None = None
        self._error: BaseException | None = None
        self._callbacks: list[Callable[[], None]] = []

    def when_done(self, callback: Callable[[], None]) -> None:
        """Call ``callback``, which must be quick and must not raise, once there is an outcome; at once if there is."""
        with self._mutex:
            if not self._done.is_set():
                self._callbacks.append(callback)
                return
        callback()

    def run(self) -> None:
        """Do it, unless somebody does or did."""
        with self._mutex:
            if self._claimed:
                return
            self._claimed = True
        try:
            self._value = self._work()
        except BaseException as error:  # noqa: BLE001 - kept for whoever asks
            self._error = error
        self._finish()

    def cancel(self) -> None:
        """Let it never begin; whoever waits for it is told."""
        with self._mutex:
            if self._claimed:
                return
            self._claimed = True
        self._error = CancelledError()
        self._finish()

    def wait(self, seconds: float) -> bool:
        """Wait for an outcome at most so long; return whether there is one."""
        return self._done.wait(seconds)

    def result(self) -> T:
        """Return or raise the outcome, doing the work here if nobody has begun it."""
        self.run()
        self._done.wait()
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[return-value] # set by run()

    def _finish(self) -> None:
        with self._mutex:
            self._done.set()
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()


class Workers:
    """A bounded number of daemon threads, started as they are needed."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._queue: deque[Task[Any]] = deque()
        self._ready = threading.Condition()
        self._threads = 0
        self._idle = 0
        self._closed = False

    def submit(self, task: Task[Any]) -> None:
        """Queue ``task``. After `close` it is cancelled."""
        with self._ready:
            if self._closed:
                task.cancel()
                return
            self._queue.append(task)
            if self._idle >= len(self._queue):
                self._ready.notify()
                return
            if self._threads < self._count:
                self._threads += 1
                threading.Thread(target=self._work, name="pyvstore-fetch", daemon=True).start()

    def close(self) -> None:
        """Cancel what has not begun, and let the threads end after what they do now; does not wait for them."""
        with self._ready:
            self._closed = True
            waiting = list(self._queue)
            self._queue.clear()
            self._ready.notify_all()
        for task in waiting:
            task.cancel()

    def _work(self) -> None:
        while True:
            with self._ready:
                while not self._queue and not self._closed:
                    self._idle += 1
                    self._ready.wait()
                    self._idle -= 1
                if not self._queue:
                    self._threads -= 1
                    return
                task = self._queue.popleft()
            task.run()
