"""Started as a process of its own: two signals are pending when the first handler begins."""

from __future__ import annotations

import os
import signal

from runbooks.engine.stop import StopRequest

if __name__ == "__main__":
    stop = StopRequest()
    both = {signal.SIGINT, signal.SIGTERM}
    with stop.listening():
        signal.pthread_sigmask(signal.SIG_BLOCK, both)
        for number in both:
            os.kill(os.getpid(), number)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, both)
        print("stopping" if stop.event.wait(20) else "nobody noticed")
