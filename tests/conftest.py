import os
import signal

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a shell's background job: children would
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignore the Ctrl-C that tests send

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy: 2 threads can cost 200 times

import matplotlib
from hypothesis import HealthCheck, settings

matplotlib.use("agg")
# The same examples at every run, so that red means a change; `explore` looks for new ones.
SLOW = [HealthCheck.too_slow]  # how fast cases are drawn depends on what else the machine does
settings.register_profile(
    "fast", max_examples=30, deadline=None, derandomize=True, suppress_health_check=SLOW
)
settings.register_profile("explore", max_examples=300, deadline=None, suppress_health_check=SLOW)
settings.load_profile(os.environ.get("REFMARL_HYPOTHESIS", "fast"))
